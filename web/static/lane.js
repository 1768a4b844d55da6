/**
 * The media sections of one camera in a peer connection: one for its picture
 * and, if it has any, one for its sound. Sections cannot be taken out of a
 * session, so a lane stays when its camera is no longer wanted, paused: offers
 * stop naming its camera, and the agent stops sending. It is never used for
 * another camera, whose picture could be mistaken for the last one of this.
 */
export class Lane {
  /** "" is the agent's first camera, until its name is known. @type {string} */ camera;
  stream = new MediaStream();
  wanted = true;

  /**
   * @param {RTCPeerConnection} connection
   * @param {string} camera
   * @param {boolean} sound whether the camera has sound, or may have
   */
  constructor(connection, camera, sound) {
    this.camera = camera;
    this.video = connection.addTransceiver('video', { direction: 'recvonly' });
    this.audio = sound ? connection.addTransceiver('audio', { direction: 'recvonly' }) : null;
    for (const { receiver } of this.#transceivers) {
      showAtOnce(receiver);
      this.stream.addTrack(receiver.track);
    }
  }

  /** @returns {import('./messages.js').MediaLine[]} what an offer says about the lane */
  get lines() {
    if (!this.wanted) return [];
    return this.#transceivers.flatMap(({ mid }) => (mid === null ? [] : [{ mid, camera: this.camera }]));
  }

  /** A number that rises whenever a frame of the picture or sound arrives; 0 before the first. */
  get arrivals() {
    const sources = this.#transceivers.flatMap(({ receiver }) => receiver.getSynchronizationSources());
    return Math.max(0, ...sources.map(({ timestamp }) => timestamp));
  }

  /** Takes the lane out of later offers; for one that no answer has accepted. */
  stop() {
    for (const transceiver of this.#transceivers) transceiver.stop();
  }

  get #transceivers() {
    return this.audio ? [this.video, this.audio] : [this.video];
  }
}

/**
 * Asks for no delay beyond what the network makes necessary.
 *
 * @param {RTCRtpReceiver} receiver
 */
function showAtOnce(receiver) {
  if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
  // An older name of the same wish, in seconds.
  if ('playoutDelayHint' in receiver) receiver.playoutDelayHint = 0;
}
