/**
 * JSON of which two readers cannot understand two things: JSON.parse takes the
 * last of two members with one name, others the first, so both are refused.
 */

const deepest = 16;

/**
 * @param {string} text
 * @returns {any}
 * @throws {SyntaxError} if it is not JSON, names a member twice, nests deeper than 16 levels or has half a character
 */
export function parseStrict(text) {
  const value = JSON.parse(text);
  // Go reads half of a surrogate pair as another character. Such pairs have escapes side by side.
  const halves = (/** @type {string} */ token) => /\\u[dD]/.test(token) && /[\ud800-\udfff]/u.test(JSON.parse(token));
  /** Names so far, for every open object; null for an array. @type {(Set<string> | null)[]} */
  const open = [];
  let nameComes = false;
  // The text is JSON, so a token is a string or one of the marks; the rest has no meaning here.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]/g)) {
    if (token.startsWith('"') && halves(token)) throw new SyntaxError('a character is cut in half');
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
