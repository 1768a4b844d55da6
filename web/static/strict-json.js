/**
 * JSON of which two readers cannot understand two things: JSON.parse takes the
 * last of two members with one name, others the first, so both are refused.
 */

const deepest = 16;

/**
 * @param {string} text
 * @returns {any}
 * @throws {SyntaxError} if it is not JSON, names a member twice or nests deeper than 16 levels
 */
export function parseStrict(text) {
  const value = JSON.parse(text);
  /** Names so far, for every open object; null for an array. @type {(Set<string> | null)[]} */
  const open = [];
  let nameComes = false;
  // The text is JSON, so a token is a string or one of the marks; the rest has no meaning here.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]/g)) {
    if (token === '{' || token === '[') {
      if (open.push(token === '{' ? new Set() : null) > deepest) throw new SyntaxError('too deeply nested');
      nameComes = token === '{';
    } else if (token === '}' || token === ']') {
      open.pop();
      nameComes = false;
    } else if (token === ',') {
      nameComes = open.at(-1) instanceof Set;
    } else if (nameComes && token !== ':') {
      const name = JSON.parse(token);
      const names = open.at(-1);
      if (names?.has(name)) throw new SyntaxError(`the name ${token} appears twice`);
      names?.add(name);
      nameComes = false;
    }
  }
  return value;
}
