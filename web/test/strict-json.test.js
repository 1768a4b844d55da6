import { test } from 'node:test';
import assert from 'node:assert/strict';
import { parseStrict } from '../static/strict-json.js';

test('ordinary JSON is read as ever', () => {
  for (const text of ['null', '7', '"a,\\"{:"', '[]', '{}', '[{"a":1},{"a":2}]', '{"a":{"a":{"a":["a","a"]}},"b":"a"}',
    '{"a\\"b":1,"a":[1,2,{"a":","}],"c":":"}', ' { "a" : [ "b" , "b" ] } ']) {
    assert.deepEqual(parseStrict(text), JSON.parse(text), text);
  }
});

test('a name that appears twice is refused, however it is spelled', () => {
  for (const text of ['{"a":1,"a":1}', '{"a":1,"b":[],"a":2}', '[{"x":{"a":1,"a":2}}]', '{"a":1,"\\u0061":2}', '{"a":{"b":1},"a":3}',
    '{"a":["}"],"a":1}', '{"":1,"":2}', '{"__proto__":1,"__proto__":2}']) {
    assert.throws(() => parseStrict(text), SyntaxError, text);
  }
});

test('what is no JSON or too deep is refused', () => {
  for (const text of ['', '{', '{"a":1} x', '{"a":1,}', '['.repeat(17) + ']'.repeat(17), '{"a":'.repeat(20) + '1' + '}'.repeat(20)]) {
    assert.throws(() => parseStrict(text), SyntaxError, text);
  }
  assert.ok(parseStrict('['.repeat(16) + ']'.repeat(16)));
});

test('half of a character is refused, a whole one is not', () => {
  const { raw } = String;
  for (const text of [raw`"\ud800"`, raw`["\uDC00a"]`, raw`{"\ud800":1}`, raw`"\udc00\ud800"`, raw`"\ud83da"`]) {
    assert.throws(() => parseStrict(text), SyntaxError, text);
  }
  for (const text of [raw`"\ud83d\ude00"`, raw`"\\ud800"`, '"😀"', raw`"\u00e9"`]) assert.equal(parseStrict(text), JSON.parse(text), text);
});
