/**
 * Whether this browser can show a camera's codec over WebRTC.
 */

/**
 * @param {string} codec as the agent names it: "H.264", "H.265", or empty while unknown
 * @returns {boolean}
 */
export function canPlay(codec) {
  if (codec === '') return true;
  const mime = `video/${codec.replace('.', '').toLowerCase()}`;
  const known = globalThis.RTCRtpReceiver?.getCapabilities?.('video')?.codecs;
  return known === undefined || known.some(({ mimeType }) => mimeType.toLowerCase() === mime);
}
