# The bundled generator's lines only: no JSON is read. A field is what stands between two double quotes.
BEGIN { FS = "\"" }
NF == 11 && $2 == "event_type" && $6 == "data" {
  types[$4]++
  n = split($8, word, " ")
  for (i = 1; i <= n; i++) words[word[i]]++
}
END {
  for (key in types) printf "[\"type\",\"%s\",%d]\n", key, types[key]
  for (key in words) printf "[\"word\",\"%s\",%d]\n", key, words[key]
}
