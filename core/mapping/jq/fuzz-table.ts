import { containers } from './fuzz-table-containers.ts'

/**
 * What the generator can write, separated by `;;`, by kind of input and output: `n` number, `s` string, `b` boolean, `a` array, `o` object,
 * `v` anything. In braces stands an expression of that kind over the same input; `{i}` is a small integer, `{f}` a filter
 * that works on anything, `{p}` a path expression over anything, `{k}` a path as an array, `{re}` a regular expression,
 * `{re+}` one that never matches emptily, `{fl}` its flags, `{u}` an update that works on anything, `{x}` a variable name.
 */
export const table: Readonly<Record<string, readonly string[]>> = split({
  ...containers,
  'n>n': `
    . + {n} ;; . - {n} ;; . * {n} ;; . / 4 ;; . % 7 ;; -. ;; floor ;; ceil ;; round ;; sqrt ;; fabs ;; abs ;;
    trunc ;; length ;; pow(.; 2) ;; log ;; log2 ;; log10 ;; log1p ;; exp ;; exp2 ;; exp10 ;; expm1 ;; sin ;; cos ;;
    tan ;; asin ;; acos ;; atan ;; sinh ;; cosh ;; tanh ;; asinh ;; acosh ;; atanh ;; cbrt ;; significand ;; logb ;;
    gamma ;; lgamma ;; tgamma ;; rint ;; nearbyint ;; j0 ;; j1 ;; y0 ;; y1 ;; jn(2; .) ;; yn(2; .) ;; erf ;; erfc ;;
    drem(.; 3) ;; ldexp(.; 3) ;; scalb(.; 2) ;; scalbln(.; 2) ;; nextafter(.; 9) ;; nexttoward(.; 9) ;;
    atan2(.; 2) ;; fmin(.; {n}) ;; fmax(.; {n}) ;; fmod(.; 3) ;; fdim(.; {n}) ;; hypot(.; 3) ;; remainder(.; 3) ;;
    copysign(.; -1) ;; fma(.; 2; {n}) ;; tonumber ;; until(. > 100; . * 2 + 1) ;; (infinite, nan, .) ;;
    if . > {n} then . else {n} end ;; reduce range(3) as {x} (.; . + 1) ;; tostring|tonumber ;; numbers ;;
    finites ;; normals
  `,
  'n>b': `
    . > {n} ;; . >= {n} ;; . == {n} ;; . < {n} ;; . <= {n} ;; . != {n} ;; isnan ;; isinfinite ;; isfinite ;;
    isnormal ;; IN({n}, 1, 2) ;; not
  `,
  'n>s': `
    tostring ;; tojson ;; @text ;; @json ;; "<\\(.)>" ;; . % 4000000000 | todate ;;
    . % 4000000000 | todateiso8601 ;; . % 4000000000 | strftime("%Y-%m-%d %H:%M:%S %j %a %b") ;;
    . % 4000000000 | strflocaltime("%d/%m/%y") ;; @sh ;; @base64 ;; . * "ab" // ""
  `,
  'n>a': `
    [range(5)] ;; [., {n}] ;; [range({i}; {i})] ;; [range(0; 10; 3)] ;; . % 4000000000 | gmtime ;;
    . % 4000000000 | localtime ;; frexp ;; modf ;; lgamma_r ;; [limit(3; range(10))] ;;
    [while(. < 50 and . > 0; . * 2)] ;; [repeat(.)|., 1|tostring]|.[:0] ;; [., 1] | [combinations(2)?] ;;
    [foreach range(4) as {x} (.; . + {x})] ;; [skip(2; range(5))] ;; [nth(1, 2; range(4))] ;;
    [first(range(3)), last(range(3))]
  `,
  's>n': `
    ("2015-03-05" | strptime("%Y-%m-%d") | mktime) ;; ("2015-03-05T23:51:47Z" | fromdateiso8601) ;;
    ("10 Mar 2020 11:12:13" | strptime("%d %b %Y %T") | mktime) ;; length ;; utf8bytelength ;; index({s}) // 0 ;;
    rindex("a") // 0 ;; tonumber? // 7 ;; (try fromdate catch 3)
  `,
  's>b': `
    startswith({s}) ;; endswith({s}) ;; contains({s}) ;; inside({s} + .) ;; test({re}) ;; test({re}; {fl}) ;;
    . == {s} ;; . < {s} ;; IN({s}, "a") ;; in({{"a": 1, "b": 2}}) ;; any(explode[]; . > 97) ;;
    isempty(scan({re}))
  `,
  's>s': `
    . + {s} ;; ascii_downcase ;; ascii_upcase ;; ltrimstr({s}) ;; rtrimstr("a") ;; trimstr("a") ;; trim ;; ltrim ;;
    rtrim ;; .[{i}:{i}] ;; tojson ;; tostring ;; @base64 ;; @base64|@base64d ;; @uri ;; @uri|@urid ;; @html ;;
    @sh ;; @json ;; @text ;; explode|implode ;; sub({re}; "X") ;; gsub({re+}; "Y") ;;
    sub({re}; "\\(.x // "-")"; {fl}) ;; gsub({re+}; {s}; {fl}) ;; . * 2 ;;
    sub("(?<x>[a-z])"; "<\\(.x)>", "\\(.x)!") ;; "\\(.)-\\({n})" ;; @html "<\\(.)>" ;; @uri "?q=\\(.)" ;;
    @csv "\\([., 1])" ;; @tsv "\\([., 1])" ;; @sh "echo \\(.)" ;; format("uri") ;; strings ;;
    if test({re}) then . else {s} end ;; try error catch . ;; try error("x" + .) catch . ;;
    split("")|reverse|join("") ;; ascii_downcase|ascii_upcase
  `,
  's>a': `
    split({s}) ;; split({re+}; null) ;; [splits({re+})] ;; [splits({re+}; {fl})] ;; explode ;; [scan({re})] ;;
    [scan({re}; {fl})] ;; [match({re})] ;; [match({re+}; "g")] ;; [match([{re}, {fl}])] ;; [capture({re})] ;;
    [capture({re}; {fl})] ;; indices("a") ;; _strindices("b") ;; ./", " ;; [.[{i}:]] ;; [limit(2; scan("."))]
  `,
  'b>b': `
    not ;; . and {b} ;; . or {b} ;; . == {b} ;; toboolean ;; booleans
  `,
  'b>s': `
    tostring ;; tojson|toboolean|tojson ;; @json ;; "\\(.)"
  `,
  'b>n': `
    if . then 1 else {n} end ;; if . then {n} elif {b} then 2 else 3 end
  `,
  'v>v': `
    . ;; [.] ;; {{"a": .}} ;; tojson ;; type ;; [.[]?] ;; tostring ;; (., .) ;; [., 1] ;; . // 1 ;;
    if . then 1 else 2 end ;; select(. != null) ;; (numbers | . + 1) ;; (strings | length) ;; (arrays | length) ;;
    (objects | keys) ;; first(., 1) ;; try error catch . ;; [..]|length ;; (. as {x} | [{x}]) ;; empty ;;
    [limit(2; ., ., .)] ;; .a? ;; .[0]? ;; .[1:]? ;; not ;; tojson|fromjson ;; values ;; [tostream]|length ;;
    getpath({k})? ;; ascii_downcase? ;; length? ;; tonumber? ;; @json ;; [paths] ;; scalars ;; first(range(3)) ;;
    [.[]?|tojson] ;; {{a: 1, b: .}}|.b ;; walk(.) ;; $__loc__.line ;; [splits("a")?] ;; IN(1, "a") ;;
    reduce .[]? as {x} (null; {x}) ;; [foreach (1, 2) as {x} (.; [{x}])] ;; label $f | (., break $f, 1) ;;
    ltrimstr("a")? ;; try error({v}) catch . ;; error({v})? ;; (try error("\\(.)") catch .) ;;
    have_literal_numbers ;; have_decnum ;; builtins|length > 100 ;; now|type ;; [.] | .[0] |= {u} ;;
    [.,1] | .[{i}|fabs] = 2 ;; def f(x): x | x; f([.]) ;; def f: def g: [.]; g | g; f ;;
    def f($a; b): [$a, b]; f(1, 2; .) ;; def r(n): if n > 0 then [r(n - 1)] else . end; r(2) ;; -(1, 2) ;;
    [.[]?] | sort ;; tojson | test("a") ;; [limit(3; repeat(1))] ;; splits("x")?
  `,
})

function split(lists: Readonly<Record<string, string>>): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    Object.entries(lists).map(([kinds, list]) => [kinds, list.split(';;').map((entry) => entry.trim())]),
  )
}
