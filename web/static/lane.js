/**
 * The media sections of one camera in a peer connection: one for its picture
 * and one for its sound. A lane that is no longer wanted is kept and used for
 * the next camera, because sections cannot be taken out of a session.
 */
export class Lane {
  /** Whose media it carries now; "" is the agent's first camera, null none. @type {string | null} */
  camera;
  stream = new MediaStream();

  /**
   * @param {RTCPeerConnection} connection
   * @param {string} camera
   */
  constructor(connection, camera) {
    this.camera = camera;
    this.video = connection.addTransceiver('video', { direction: 'recvonly' });
    this.audio = connection.addTransceiver('audio', { direction: 'recvonly' });
    for (const { receiver } of this.#transceivers) {
      showAtOnce(receiver);
      this.stream.addTrack(receiver.track);
    }
  }

  /** @param {string | null} camera null gives the lane up */
  carry(camera) {
    this.camera = camera;
    for (const transceiver of this.#transceivers) {
      transceiver.direction = camera === null ? 'inactive' : 'recvonly';
    }
    // A player must not show the last picture of another camera.
    this.stream = new MediaStream(this.#transceivers.map(({ receiver }) => receiver.track));
  }

  /** @returns {import('./messages.js').MediaLine[]} what an offer says about the lane */
  get lines() {
    const { camera } = this;
    if (camera === null) return [];
    return this.#transceivers.flatMap(({ mid }) => (mid === null ? [] : [{ mid, camera }]));
  }

  get #transceivers() {
    return [this.video, this.audio];
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
