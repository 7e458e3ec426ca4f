import { expect } from 'chai';
import fc from 'fast-check';
import { type FieldPath, formatFieldPath, parseFieldPath, readField } from '#shared/field-path.js';

const name = fc.string({
  unit: fc.oneof(fc.constantFrom('.', '\\', 'a'), fc.string({ minLength: 1, maxLength: 1 })),
  minLength: 1,
});
const names = fc.array(name, { minLength: 1, maxLength: 5 });

describe('parseFieldPath', () => {
  const rows: [what: string, text: string, path: string[] | null][] = [
    ['one name', 'event_type', ['event_type']],
    ['two names', 'alert.signature', ['alert', 'signature']],
    ['four names', 'a.b.c.d', ['a', 'b', 'c', 'd']],
    ['a dot that belongs to a name', 'id\\.orig_h', ['id.orig_h']],
    ['a name that is one dot', '\\.', ['.']],
    ['a backslash that belongs to a name', 'a\\\\b', ['a\\b']],
    ['a backslash at the end of a name', 'a\\\\.b', ['a\\', 'b']],
    ['a backslash and a dot in a name', 'a\\\\\\.b', ['a\\.b']],
    ['a backslash before another character', 'a\\nb', null],
    ['a backslash at the end of the text', 'a\\', null],
    ['white space', ' . ', [' ', ' ']],
    ['names that objects inherit', '__proto__.constructor', ['__proto__', 'constructor']],
    ['nothing', '', null],
    ['only a dot', '.', null],
    ['a dot at the start', '.a', null],
    ['a dot at the end', 'a.', null],
    ['two dots in a row', 'a..b', null],
    ['a dot at the end after an escaped one', 'a\\..', null],
  ];
  for (const [what, text, path] of rows) {
    it(`${path === null ? 'refuses' : 'reads'} ${what}`, () => {
      expect(parseFieldPath(text)).to.deep.equal(path);
    });
  }
});

describe('formatFieldPath', () => {
  it('escapes dots and backslashes of names', () => {
    expect(formatFieldPath(['a.b', 'c\\', 'd'])).to.equal('a\\.b.c\\\\.d');
  });

  it('writes any path as parseFieldPath reads it', () => {
    fc.assert(
      fc.property(names, (path) => {
        expect(parseFieldPath(formatFieldPath(path as [string, ...string[]]))).to.deep.equal(path);
      }),
    );
  });
});

describe('readField', () => {
  const rows: [what: string, json: string, path: FieldPath, value: unknown][] = [
    ['a field', '{"a":1}', ['a'], 1],
    ['a nested field', '{"a":{"b":{"c":"x"}}}', ['a', 'b', 'c'], 'x'],
    ['a field with a dot in its name', '{"a.b":1,"a":{"b":2}}', ['a.b'], 1],
    ['an object', '{"a":{"b":1}}', ['a'], { b: 1 }],
    ['an array', '{"a":[1]}', ['a'], [1]],
    ['null', '{"a":null}', ['a'], null],
    ['false', '{"a":false}', ['a'], false],
    ['a field with an empty name', '{"":1}', [''], 1],
    ["the last of a repeated field's values", '{"a":1,"a":2}', ['a'], 2],
    ['an own __proto__', '{"__proto__":{"a":1}}', ['__proto__', 'a'], 1],
    ['an own constructor', '{"constructor":1}', ['constructor'], 1],
    ['nothing where there is no such field', '{"a":1}', ['b'], undefined],
    ['nothing in a field that is missing', '{"a":1}', ['b', 'c'], undefined],
    ['nothing in null', '{"a":null}', ['a', 'b'], undefined],
    ['nothing in a string', '{"a":"text"}', ['a', 'length'], undefined],
    ['nothing in a number', '{"a":1}', ['a', 'b'], undefined],
    ["nothing at an array's index", '{"a":["x"]}', ['a', '0'], undefined],
    ["nothing at an array's length", '{"a":["x"]}', ['a', 'length'], undefined],
    ['nothing in an array at the top', '["x"]', ['0'], undefined],
    ['nothing in null at the top', 'null', ['a'], undefined],
    ['nothing in a string at the top', '"text"', ['length'], undefined],
    ['nothing at an inherited __proto__', '{}', ['__proto__'], undefined],
    ['nothing at an inherited constructor', '{}', ['constructor', 'name'], undefined],
    ['nothing through an own __proto__', '{"__proto__":{"a":1}}', ['a'], undefined],
  ];
  for (const [what, json, path, value] of rows) {
    it(`reads ${what}`, () => {
      expect(readField(JSON.parse(json), path)).to.deep.equal(value);
    });
  }

  it('reads what stands at any path', () => {
    fc.assert(
      fc.property(names, (path) => {
        const json = path.reduceRight((inner, part) => `{${JSON.stringify(part)}:${inner}}`, '42');
        expect(readField(JSON.parse(json), path as [string, ...string[]])).to.equal(42);
      }),
    );
  });
});
