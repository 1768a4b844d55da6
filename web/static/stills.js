/**
 * Decodes single key frames by WebCodecs.
 */

/** A decoder that says nothing for this long is replaced, in milliseconds. */
const decodeMs = 3_000;

/** This browser does not decode the pictures; the message is a sentence. */
export class StillError extends Error {
  name = 'StillError';
}

export class Stills {
  /** Whether this browser can decode single pictures at all. @returns {boolean} */
  static get supported() {
    return 'VideoDecoder' in globalThis;
  }

  /** @type {VideoDecoder | null} */ #decoder = null;
  #codec = '';
  /** @type {((frame: VideoFrame) => void) | null} */ #take = null;
  /** @type {Promise<unknown>} the picture before */ #turn = Promise.resolve();

  /**
   * @param {import('./recordings.js').KeyFrame} frame
   * @param {number} width of the picture that is wanted, in pixels; it keeps its shape
   * @returns {Promise<ImageBitmap>}
   * @throws {StillError}
   */
  decode(frame, width) {
    const done = this.#turn.then(() => this.#decode(frame, width));
    this.#turn = done.catch(() => {});
    return done;
  }

  /** Idempotent. */
  close() {
    if (this.#decoder && this.#decoder.state !== 'closed') this.#decoder.close();
    this.#decoder = null;
  }

  /** @param {import('./recordings.js').KeyFrame} frame @param {number} width */
  async #decode({ codec, width: codedWidth, height: codedHeight, data }, width) {
    if (!Stills.supported) throw new StillError('This browser cannot show previews.');
    const decoder = await this.#configured(codec, codedWidth, codedHeight);
    const decoded = new Promise((resolve, reject) => {
      this.#take = resolve;
      setTimeout(reject, decodeMs, new StillError('A preview could not be decoded.'));
    });
    decoded.catch(() => {});
    try {
      decoder.decode(new EncodedVideoChunk({ type: 'key', timestamp: 0, data }));
      // Without it decoders wait for the pictures that would follow.
      await Promise.race([decoder.flush(), decoded]);
      const picture = await decoded;
      const { displayWidth, displayHeight } = picture;
      const resizeWidth = Math.min(width, displayWidth);
      const resizeHeight = Math.max(1, Math.round((resizeWidth * displayHeight) / displayWidth));
      const bitmap = await createImageBitmap(picture, { resizeWidth, resizeHeight, resizeQuality: 'medium' });
      picture.close();
      return bitmap;
    } catch (error) {
      this.close();
      throw error instanceof StillError ? error : new StillError('A preview could not be decoded.', { cause: error });
    } finally {
      this.#take = null;
    }
  }

  /**
   * @param {string} codec
   * @param {number} codedWidth
   * @param {number} codedHeight
   * @returns {Promise<VideoDecoder>}
   */
  async #configured(codec, codedWidth, codedHeight) {
    if (this.#decoder?.state === 'configured' && this.#codec === codec) return this.#decoder;
    const config = { codec, codedWidth, codedHeight, optimizeForLatency: true };
    const { supported } = await VideoDecoder.isConfigSupported(config);
    if (!supported) throw new StillError('This browser cannot decode previews of this camera.');
    this.close();
    this.#decoder = new VideoDecoder({
      output: (frame) => {
        if (this.#take) this.#take(frame);
        else frame.close();
        this.#take = null;
      },
      error: (error) => console.debug('sightline: a preview cannot be decoded', error),
    });
    this.#decoder.configure(config);
    this.#codec = codec;
    return this.#decoder;
  }
}
