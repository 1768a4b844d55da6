/** Why a session could not be made or changed; the message is a sentence for a person. */
export class SessionError extends Error {
  name = 'SessionError';

  /**
   * @param {string} code a reject code, an error code of signaling, or "no-signaling", "no-answer",
   *   "no-route", "bad-answer", "full", "aborted"
   * @param {string} message
   * @param {number} [clockOffsetMs] with "expired": how far the publisher's clock is ahead
   */
  constructor(code, message, clockOffsetMs = 0) {
    super(message);
    this.code = code;
    this.clockOffsetMs = clockOffsetMs;
  }
}
