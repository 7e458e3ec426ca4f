# jq -nRc -f count.jq FILE. Words are split at single spaces: a regular expression is ten times slower.
reduce (
  inputs
  | fromjson?
  | select(type == "object" and (.event_type | type) == "string" and (.data | type) == "string")
) as $event ({ types: {}, words: {} };
  .types[$event.event_type] += 1
  | reduce ($event.data / " ")[] as $word (.; .words[$word] += 1)
)
| (.types | to_entries[] | ["type", .key, .value]),
  (.words | to_entries[] | ["word", .key, .value])
