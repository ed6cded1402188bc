/** The part of the table that is about arrays and objects, in the notation of `fuzz-table.ts`. */
export const containers: Readonly<Record<string, string>> = {
  'a>a': `
    . + {a} ;; . - {a} ;; sort ;; sort_by({f}) ;; sort_by({f}, {f}) ;; group_by({f}) ;; unique ;; unique_by({f}) ;;
    reverse ;; flatten ;; flatten({i}|fabs) ;; map({f}) ;; map(select({fb})) ;; map_values({f}) ;; .[{i}:{i}] ;;
    .[{i}:] ;; .[:{i}] ;; del(.[{i}]) ;; del(.[{i}], .[{i}:{i}]) ;; to_entries ;; keys ;; keys_unsorted ;;
    [.[] | {f}] ;; [.[]?] ;; [paths] ;; [paths(type == "number")] ;; [..] ;; [tostream] ;; map(arrays) ;;
    map(scalars) ;; map(iterables|length) ;; map(values) ;; map(nulls) ;; map(objects) ;; indices({v}) ;;
    indices([1]) ;; [limit(2; .[])] ;; [first(.[])] ;; [.[{i}]] ;; [getpath({k})?] ;; map(tojson) ;;
    delpaths([{k}]) ;; setpath([{i}|fabs]; {v}) ;; [.[] as {x} | {x}] ;; [.[] as [{x}] ?// {x} | {x}] ;;
    . as [{x}, $y] | [$y, {x}] ;; [label $out | .[] | if {fb} then ., break $out else . end] ;;
    [foreach .[] as {x} (0; . + 1; [., {x}])] ;; [reduce .[] as {x} (0; . + 1)] ;;
    walk(if type == "number" then . + 1 else . end) ;; .[{i}|fabs] = {v} ;; .[{i}|fabs] |= {u} ;;
    (.[] | {p}?) |= {u} ;; .[] += 1? ;; .[1:3] = ["s"] ;; [.[1:][]?] ;; map(try tonumber catch "no") ;;
    transpose? // . ;; with_entries(.value |= {u}) ;; [combinations?] ;; map(type) ;; sort_by(type, .) ;;
    [recurse(if type == "array" then .[] else empty end)] ;; [splits("a")?] ;; path(first) ;; [path(..)] ;;
    [path({p})?] ;; pick(.[{i}|fabs]) ;; [while(length > 1; .[1:])] ;; until(length < 2; .[1:]) ;;
    [.[]|tojson|fromjson] ;; [fromstream(tostream)] ;; [1|truncate_stream([[0],1],[[1,0],2],[[1,0]],[[1]])] ;;
    [JOIN({{"a":1}}; tojson)] ;; [JOIN({{"a":1}}; .[]; tojson)] ;; [JOIN({{"1":1}}; .[]; tojson; .)] ;;
    [getpath([0]), getpath([0, 1])?] ;; . as $dot | map(. as {x} | $dot | index({x})) ;; [splits("x"; "g")?, .] ;;
    try error catch . ;; [.[] | try {f} catch .] ;; [.[]?, 1] | map({f}?) ;; [limit(0; 1), isempty(.[])] ;;
    [range(.[]?|numbers)]|.[:5]
  `,
  'a>n': `
    length ;; add(.[]|numbers) // 0 ;; (map(numbers)|add) // 0 ;; bsearch({n}) ;; (map(numbers)|min) // 0 ;;
    (map(numbers)|max) // 0 ;; index(1) // 0 ;; rindex([1]) // 0 ;; reduce .[] as {x} (0; . + 1) ;;
    1e9 | gmtime | mktime ;; limit(1; 1, 2)
  `,
  'a>b': `
    any ;; all ;; any({fb}) ;; all({fb}) ;; any(.[]; {fb}) ;; all(.[]; {fb}) ;; contains({a}) ;; inside(. + {a}) ;;
    has({i}) ;; . == {a} ;; . < {a} ;; IN(.[]; 1, 2) ;; isempty(.[]) ;; IN([1], {a})
  `,
  'a>s': `
    tojson ;; tostring ;; @json ;; @text ;; map(tostring)|join({s}) ;; map(scalars)|join(",") ;;
    (map(scalars)|@csv) ;; (map(scalars)|@tsv) ;; (map(scalars)|@sh) ;; (map(strings)|add) // "" ;; "\\(.)" ;;
    @base64 ;; map(numbers|fabs|floor % 1000)|implode
  `,
  'a>o': `
    map({{"key": tojson, "value": .}})|from_entries ;; INDEX("k\\(tojson)") ;; INDEX(.[]; "k\\(tojson)") ;;
    {{"a": ., "b": length}} ;; (map(objects)|add) // {{}} ;; reduce .[] as {x} ({{}}; . + {{(({x}|tojson)): 1}}) ;;
    [limit(1; .[])] as {x} | {{{x}}} ;; {{"n": .[{i}]}}
  `,
  'a>v': `
    .[{i}] ;; first ;; last ;; nth({i}) ;; min ;; max ;; min_by({f}) ;; max_by({f}) ;; add ;; first(.[]) ;;
    last(.[]) ;; nth(1; .[]) ;; .[] ;; .[{i}]? ;; getpath([{i}]) ;; (.[], 1) ;; add({f}) ;; first(.[]?|{f}) ;;
    .[0] // {v} ;; error?
  `,
  'o>o': `
    . + {o} ;; . * {o} ;; del(.a) ;; del(.a, .b) ;; del(.[{s}]) ;; with_entries(.value |= {u}) ;; map_values({f}) ;;
    map_values(empty) ;; to_entries|from_entries ;; .a = {v} ;; .a |= {u} ;; .b //= {v} ;; .a.b? |= {u} ;;
    {{a, b}} ;; {{"a": .a, (.b|tojson): 1}} ;; {{a: ({v}, 2), b}} ;; walk({u}) ;; pick(.a) ;; pick(.a?, .b) ;;
    delpaths([["a"], ["b"]]) ;; setpath(["c"]; {v}) ;; with_entries(select(.value != null)) ;;
    . as {{a: {x}, b: $y}} | {{{x}, $y}} ;; . as {{$a}} | {{$a}} ;;
    reduce to_entries[] as {x} ({{}}; .[{x}.key] = ({x}.value|tojson)) ;; reduce paths as {x} (.; .) ;;
    (.. | numbers) |= . + 1 ;; {{"x": (.a? // .b)}} ;; del(..|select(. == null)) ;; del(.[] | select({fb})) ;;
    objects ;; .a += 1? ;; .c -= 1? ;; .n *= 2? ;; .z /= 2? ;; .a %= 2? ;; map_values(select({fb})) ;;
    {{$__loc__}} ;; getpath(["a"]) as {x} | {{{x}}} ;; fromstream(tostream) ;; . as $d | {{"k": ($d|keys)}} ;;
    def f: .a = 1; f ;; def f($v; g): .a = $v | .b = g; f(1; length) ;; tojson|fromjson
  `,
  'o>a': `
    keys ;; keys_unsorted ;; to_entries ;; [.[]] ;; map({f}) ;; [paths] ;; [..] ;; [.[]|{f}] ;; [.a, .b] ;;
    [.a, .b][]?|[.] ;; [tostream] ;; [paths(type == "string")] ;; [path(.a), path(.b.c?)] ;;
    [getpath(["a"], ["b"])] ;; [.. | scalars] ;; [.a?, .["b"]?, .c.d?] ;; [splits("a")?] ;; [recurse] ;;
    [recurse(.a?; . != null)] ;; [recurse(.[]?)] ;; [path(..)] ;; [path({p})?] ;; to_entries|map(.key) ;;
    [.[] as [{x}] ?// {{"a": {x}}} ?// {x} | {x}] ;; [.a as [{x}, {{b: $y}}] ?// {x} | {x}]
  `,
  'o>n': `
    length ;; keys|length ;; (.a|numbers) // 0 ;; [..|numbers]|add // 0
  `,
  'o>b': `
    has("a") ;; has({s}) ;; contains({o}) ;; . == {o} ;; . < {o} ;; any({fb}) ;; all({fb}) ;; any ;; all ;;
    isempty(.[]) ;; inside(. + {o})
  `,
  'o>s': `
    tojson ;; tostring ;; @json ;; keys|join(",") ;; "\\(.)" ;; @text ;; @html ;; (.a|strings) // "none"
  `,
  'o>v': `
    .a ;; .b ;; .a? ;; ."c" ;; .["a"] ;; .a.b? ;; .[] ;; first(.[]) ;; last(.[]) ;; .a // {v} ;; (.a, .b) ;; add ;;
    try .a.b.c catch . ;; .. ;; .a as {x} | {x} ;; getpath(["a", "b"])? ;; min_by(.)? ;; error?
  `,
}
