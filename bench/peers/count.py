# python3 count.py FILE TYPE_FIELD DATA_FIELD; a dot leads into an object.
import json
import re
import sys
from collections import Counter

# What \s is in JavaScript.
SPACE = re.compile("[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+")

file, type_path, data_path = sys.argv[1], sys.argv[2].split("."), sys.argv[3].split(".")
types, words = Counter(), Counter()
with open(file, "rb") as lines:
    for line in lines:
        try:
            kind = data = json.loads(line)
            for name in type_path:
                kind = kind[name]
            for name in data_path:
                data = data[name]
            found = data.split() if data.isascii() else filter(None, SPACE.split(data))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        types[kind] += 1
        words.update(found)
for name, counts in (("type", types), ("word", words)):
    for key, count in counts.items():
        print(json.dumps([name, key, count]))
