/**
 * What a player tells about itself, to the panel and to whoever asks its
 * "stats" property.
 *
 * @typedef {object} CameraStats
 * @property {import('./stats.js').MediaStats | null} video
 * @property {import('./stats.js').MediaStats | null} audio
 *
 * @typedef {object} PlayerStats
 * @property {import('./stats.js').ConnectionStats | null} connection
 * @property {string} story why the connection is direct or relayed; empty if that is not known
 * @property {import('./stats.js').MediaStats | null} video
 * @property {import('./stats.js').MediaStats | null} audio
 * @property {number} framesPresented frames that this player has shown
 * @property {number[]} latencyMs samples of the age of the picture, oldest first; empty without a stamp
 * @property {number | null} latencyMedianMs median of the last five seconds
 * @property {number | null} firstFrameMs from having a stream to its first picture
 */

/**
 * Makes rows of label and value for people.
 *
 * @param {PlayerStats} stats
 * @returns {[string, string][]}
 */
export function describeStats({ connection, story, video, audio, latencyMedianMs }) {
  /** @type {[string, string][]} */
  const rows = [];
  rows.push(['Path', { direct: 'Direct', relayed: 'Relayed', unknown: '–' }[connection?.path ?? 'unknown']]);
  if (story) rows.push(['Why', story.replace(/^\w+: (.)/, (_, first) => first.toUpperCase())]);
  if (connection?.local && connection.remote) {
    rows.push(['This browser', endpoint(connection.local)], ['Agent', endpoint(connection.remote)]);
  }
  rows.push(['Round trip', number(connection?.roundTripMs, 1, 'ms')]);
  if (latencyMedianMs !== null) rows.push(['Glass to glass', number(latencyMedianMs, 0, 'ms')]);
  if (video) {
    rows.push(
      ['Video', [video.codec, video.width ? `${video.width} × ${video.height}` : ''].filter(Boolean).join(', ') || '–'],
      ['Bit rate', bitRate(video.bitsPerSecond)],
      ['Frame rate', number(video.fps, 0, 'fps')],
      ['Loss', video.lossPercent === null ? '–' : `${number(video.lossPercent, 1, '%')} (${video.packetsLost} in all)`],
      ['Jitter buffer', number(video.jitterBufferMs, 0, 'ms')],
      ['Frames', `${video.framesDecoded} decoded, ${video.framesDropped} dropped`],
    );
  }
  if (audio?.codec) rows.push(['Audio', `${audio.codec}, ${bitRate(audio.bitsPerSecond)}`]);
  if (connection?.cipher) rows.push(['Encryption', connection.cipher.replaceAll('_', ' ')]);
  return rows;
}

/** @param {import('./stats.js').Endpoint} end @returns {string} */
function endpoint({ kind, address, port, protocol }) {
  const names = /** @type {Record<string, string>} */ ({
    host: 'host',
    srflx: 'server-reflexive',
    prflx: 'peer-reflexive',
    relay: 'relay',
  });
  // Browsers hide their own address until a page may use the camera.
  const host = address.includes(':') ? `[${address}]:` : address ? `${address}:` : 'port ';
  return `${host}${port} ${protocol.toUpperCase()}, ${names[kind] ?? kind}`;
}

/** @param {number | null | undefined} bits a second @returns {string} */
function bitRate(bits) {
  if (bits === null || bits === undefined) return '–';
  return bits >= 1e6 ? number(bits / 1e6, 2, 'Mbit/s') : number(bits / 1e3, 0, 'kbit/s');
}

/** @param {number | null | undefined} value @param {number} digits @param {string} unit @returns {string} */
function number(value, digits, unit) {
  return value === null || value === undefined ? '–' : `${value.toFixed(digits)} ${unit}`;
}
