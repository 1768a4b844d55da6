/**
 * What this browser plays by Media Source Extensions.
 */

/** @returns {typeof MediaSource | undefined} what it has; phones have a managed one only */
export function mediaSource() {
  const all = /** @type {{ MediaSource?: typeof MediaSource, ManagedMediaSource?: typeof MediaSource }} */ (globalThis);
  return all.MediaSource ?? all.ManagedMediaSource;
}

/** @param {string} type with codecs @returns {boolean} */
export function plays(type) {
  return mediaSource()?.isTypeSupported(type) ?? false;
}

/** @param {{ video: string }} segment @returns {string} the type of its video */
export function videoType({ video }) {
  return `video/mp4; codecs="${video}"`;
}

/** @param {{ audio: string }} segment @returns {string} the type of its sound */
export function soundType({ audio }) {
  return `audio/mp4; codecs="${audio}"`;
}

/** @param {{ video: string }} segment @returns {string} why its video cannot be played, for a person */
export function unplayable({ video }) {
  const name = /^(hvc1|hev1)/.test(video) ? 'H.265' : video.split('.')[0];
  return `This browser cannot play ${name} video. Download this part of the recording, or open it in a browser that can.`;
}
