// ReadableStream (streams.spec.whatwg.org) with its default reader and controller: as
// much as bodies need. There are no byte readers, no pipes and no other streams.

export class ReadableStream {
  #queue = [];
  #state = "readable";
  #error = undefined;
  #reader = null;
  #waiting = [];
  #source;
  #room;
  #size;
  #pulling = false;
  #again = false;
  #started = false;
  #ending = false;
  #disturbed = false;
  #closed = settable();
  #pull;

  constructor(source = {}, { highWaterMark = 1, size = () => 1 } = {}) {
    this.#source = source ?? {};
    this.#room = highWaterMark;
    this.#size = size;
    this.#closed.promise.catch(() => {});
    const controller = this.#controller();
    this.#pull = () => this.#source.pull?.(controller);
    const begun = this.#source.start?.(controller);
    Promise.resolve(begun).then(
      () => {
        this.#started = true;
        this.#callPull();
      },
      (error) => this.#fail(error),
    );
  }

  #controller() {
    const stream = this;
    return {
      get desiredSize() {
        if (stream.#state === "errored") return null;
        return stream.#state === "closed" ? 0 : stream.#room - stream.#queued();
      },
      enqueue: (chunk) => stream.#enqueue(chunk),
      close: () => stream.#end(),
      error: (reason) => stream.#fail(reason),
    };
  }

  #queued() {
    return this.#queue.reduce((sum, entry) => sum + entry.size, 0);
  }

  #enqueue(chunk) {
    if (this.#state !== "readable" || this.#ending) throw new TypeError("Invalid state: Controller is already closed");
    if (this.#waiting.length > 0) this.#waiting.shift().resolve({ value: chunk, done: false });
    else this.#queue.push({ chunk, size: Number(this.#size(chunk)) });
    this.#callPull();
  }

  #end() {
    if (this.#state !== "readable" || this.#ending) throw new TypeError("Invalid state: Controller is already closed");
    this.#ending = true;
    if (this.#queue.length === 0) this.#finish();
  }

  #finish() {
    this.#state = "closed";
    for (const waiting of this.#waiting.splice(0)) waiting.resolve({ value: undefined, done: true });
    this.#closed.resolve(undefined);
  }

  #fail(reason) {
    if (this.#state !== "readable") return;
    this.#state = "errored";
    this.#error = reason;
    this.#queue = [];
    for (const waiting of this.#waiting.splice(0)) waiting.reject(reason);
    this.#closed.reject(reason);
  }

  /** Asks the source for more, if there is room or somebody waits. */
  #callPull() {
    const wanted = this.#waiting.length > 0 || this.#queued() < this.#room;
    if (!this.#started || this.#ending || this.#state !== "readable" || !wanted) return;
    if (this.#pulling) {
      this.#again = true;
      return;
    }
    this.#pulling = true;
    new Promise((resolve) => resolve(this.#pull())).then(
      () => {
        this.#pulling = false;
        if (!this.#again) return;
        this.#again = false;
        this.#callPull();
      },
      (error) => this.#fail(error),
    );
  }

  #read() {
    this.#disturbed = true;
    if (this.#queue.length > 0) {
      const { chunk } = this.#queue.shift();
      if (this.#ending && this.#queue.length === 0) this.#finish();
      else this.#callPull();
      return Promise.resolve({ value: chunk, done: false });
    }
    if (this.#state === "closed") return Promise.resolve({ value: undefined, done: true });
    if (this.#state === "errored") return Promise.reject(this.#error);
    const waiting = settable();
    this.#waiting.push(waiting);
    this.#callPull();
    return waiting.promise;
  }

  async #cancel(reason) {
    this.#disturbed = true;
    if (this.#state === "closed") return;
    if (this.#state === "errored") throw this.#error;
    this.#queue = [];
    this.#finish();
    await this.#source.cancel?.(reason);
  }

  get locked() {
    return this.#reader !== null;
  }

  /** Whether anything was ever read from it. */
  static isDisturbed(stream) {
    return stream.#disturbed;
  }

  static from(iterable) {
    const iterator = (iterable[Symbol.asyncIterator] ?? iterable[Symbol.iterator]).call(iterable);
    return new ReadableStream(
      {
        async pull(controller) {
          const { value, done } = await iterator.next();
          if (done) controller.close();
          else controller.enqueue(value);
        },
        cancel: (reason) => iterator.return?.(reason),
      },
      { highWaterMark: 0 },
    );
  }

  getReader({ mode } = {}) {
    if (mode !== undefined) throw new TypeError("Readers of bytes are not supported");
    if (this.#reader) throw new TypeError("Invalid state: ReadableStream is locked");
    const stream = this;
    const held = () => {
      if (stream.#reader !== reader) throw new TypeError("Invalid state: The reader is not attached to a stream");
    };
    const reader = {
      get closed() {
        return stream.#closed.promise;
      },
      read: async () => {
        held();
        return stream.#read();
      },
      cancel: async (reason) => {
        held();
        return stream.#cancel(reason);
      },
      releaseLock() {
        if (stream.#reader !== reader) return;
        stream.#reader = null;
        for (const waiting of stream.#waiting.splice(0)) waiting.reject(new TypeError("Invalid state: Releasing reader"));
      },
    };
    this.#reader = reader;
    return reader;
  }

  async cancel(reason) {
    if (this.#reader) throw new TypeError("Invalid state: ReadableStream is locked");
    return this.#cancel(reason);
  }

  tee() {
    const reader = this.getReader();
    const branches = [];
    let reading = null;
    const pull = () => {
      reading ??= reader.read().then(
        ({ value, done }) => {
          reading = null;
          for (const branch of branches.filter((branch) => !branch.canceled)) {
            if (done) branch.controller.close();
            else branch.controller.enqueue(value);
          }
        },
        (error) => branches.forEach((branch) => branch.controller.error(error)),
      );
      return reading;
    };
    return [0, 1].map((index) => {
      const branch = { canceled: false };
      branches[index] = branch;
      return new ReadableStream(
        {
          start: (controller) => void (branch.controller = controller),
          pull,
          cancel: (reason) => {
            branch.canceled = true;
            return branches.every((branch) => branch.canceled) ? reader.cancel(reason) : undefined;
          },
        },
        { highWaterMark: 0 },
      );
    });
  }

  async *values({ preventCancel = false } = {}) {
    const reader = this.getReader();
    let isDone = false;
    try {
      for (;;) {
        const { value, done } = await reader.read();
        isDone = done;
        if (done) return;
        yield value;
      }
    } catch (error) {
      isDone = true;
      throw error;
    } finally {
      if (!isDone && !preventCancel) await reader.cancel();
      reader.releaseLock();
    }
  }

  [Symbol.asyncIterator](options) {
    return this.values(options);
  }
}

function settable() {
  const out = {};
  out.promise = new Promise((resolve, reject) => Object.assign(out, { resolve, reject }));
  return out;
}
