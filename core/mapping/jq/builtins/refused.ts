/** Names of jq that a mapping cannot use, each with the reason and what to do instead. The list is part of the contract. */
export const refused: Readonly<Record<string, string>> = {
  'input/0': 'there is no stream of inputs: an expression sees one item',
  'inputs/0': 'there is no stream of inputs: an expression sees one item',
  'input_filename/0': 'an item comes from no file',
  'input_line_number/0': 'an item comes from no file',
  'debug/0': 'nothing is printed while mapping; use the trace of `catchment mapping test`',
  'debug/1': 'nothing is printed while mapping; use the trace of `catchment mapping test`',
  'stderr/0': 'nothing is printed while mapping; use the trace of `catchment mapping test`',
  'halt/0': 'one expression cannot end the program; use empty or error',
  'halt_error/0': 'one expression cannot end the program; use error',
  'halt_error/1': 'one expression cannot end the program; use error',
  'modulemeta/0': 'an expression reads no files',
  'get_search_list/0': 'an expression reads no files',
  'get_jq_origin/0': 'an expression reads no files',
  'get_prog_origin/0': 'an expression reads no files',
  'env/0': 'only variables that the source declares can be read, and none are declared here',
}
