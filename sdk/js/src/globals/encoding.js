// TextEncoder and TextDecoder (encoding.spec.whatwg.org), for UTF-8, UTF-16LE and
// Latin-1. Loops over numbers: the engine has no faster way.

const REPLACEMENT = 0xfffd;
/** How many code units `String.fromCharCode` is given at once. */
const PIECE_LEN = 4096;

export class TextEncoder {
  get encoding() {
    return "utf-8";
  }

  encode(input = "") {
    const text = String(input);
    const bytes = new Uint8Array(text.length * 3);
    return bytes.slice(0, write(text, bytes).written);
  }

  encodeInto(source, destination) {
    return write(String(source), destination);
  }
}

/** Writes as much as there is room for, never a part of a character. */
function write(text, bytes) {
  let at = 0;
  let read = 0;
  while (read < text.length) {
    const code = codePointAt(text, read);
    const width = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (at + width > bytes.length) break;
    if (width === 1) bytes[at++] = code;
    else at = writeWide(code, width, bytes, at);
    read += code > 0xffff ? 2 : 1;
  }
  return { read, written: at };
}

function writeWide(code, width, bytes, start) {
  let at = start;
  bytes[at++] = [0, 0, 0xc0, 0xe0, 0xf0][width] | (code >> (6 * (width - 1)));
  for (let shift = 6 * (width - 2); shift >= 0; shift -= 6) bytes[at++] = 0x80 | ((code >> shift) & 0x3f);
  return at;
}

/** The character at a place; half a surrogate pair is none. */
function codePointAt(text, index) {
  const unit = text.charCodeAt(index);
  if (unit < 0xd800 || unit > 0xdfff) return unit;
  const next = text.charCodeAt(index + 1);
  const isPair = unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff;
  return isPair ? ((unit - 0xd800) << 10) + (next - 0xdc00) + 0x10000 : REPLACEMENT;
}

const LABELS = {
  "utf-8": ["utf-8", "utf8", "unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "x-unicode20utf8"],
  "utf-16le": ["utf-16le", "utf-16", "ucs-2", "iso-10646-ucs-2", "csunicode", "unicode", "unicodefeff"],
  "windows-1252": ["windows-1252", "latin1", "iso-8859-1", "iso8859-1", "ascii", "us-ascii", "l1", "cp1252", "x-cp1252"],
};

/** What bytes 0x80 to 0x9f are in windows-1252, which is what the web means by Latin-1. */
const HIGH =
  "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f" +
  "\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178";

export class TextDecoder {
  #encoding;
  #fatal;
  #ignoreBom;
  #decoder = null;

  constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    const wanted = String(label).trim().toLowerCase();
    this.#encoding = Object.keys(LABELS).find((name) => LABELS[name].includes(wanted));
    if (!this.#encoding) throw new RangeError(`The "${label}" encoding is not supported`);
    this.#fatal = Boolean(fatal);
    this.#ignoreBom = Boolean(ignoreBOM);
  }

  get encoding() {
    return this.#encoding;
  }

  get fatal() {
    return this.#fatal;
  }

  get ignoreBOM() {
    return this.#ignoreBom;
  }

  decode(input = new Uint8Array(0), { stream = false } = {}) {
    this.#decoder ??= new DECODERS[this.#encoding](this.#fatal, this.#ignoreBom);
    const decoder = this.#decoder;
    if (!stream) this.#decoder = null;
    try {
      decoder.push(view(input));
      if (!stream) decoder.end();
    } catch (error) {
      this.#decoder = null;
      throw error;
    }
    return decoder.take();
  }
}

function view(input) {
  if (input instanceof Uint8Array) return input;
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (input instanceof ArrayBuffer || input instanceof SharedArrayBuffer) return new Uint8Array(input);
  throw new TypeError("The input is neither an ArrayBuffer nor a view of one");
}

/** Gathers code units; drops the byte order mark at the beginning. */
class Decoder {
  #text = "";
  #units = [];
  #begun;
  #fatal;

  constructor(fatal, ignoreBom) {
    this.#fatal = fatal;
    this.#begun = ignoreBom;
  }

  emit(code) {
    if (!this.#begun) {
      this.#begun = true;
      if (code === 0xfeff) return;
    }
    if (code > 0xffff) this.#units.push(0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
    else this.#units.push(code);
    if (this.#units.length > PIECE_LEN) this.#flush();
  }

  wrong() {
    if (this.#fatal) throw new TypeError("The encoded data was not valid");
    this.emit(REPLACEMENT);
  }

  #flush() {
    this.#text += String.fromCharCode.apply(null, this.#units);
    this.#units.length = 0;
  }

  take() {
    this.#flush();
    const text = this.#text;
    this.#text = "";
    return text;
  }
}

class Utf8 extends Decoder {
  #code = 0;
  #needed = 0;
  #lower = 0x80;
  #upper = 0xbf;

  push(bytes) {
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index];
      if (this.#needed === 0) this.#lead(byte);
      else if (byte < this.#lower || byte > this.#upper) {
        this.#reset();
        this.wrong();
        index--;
      } else {
        this.#lower = 0x80;
        this.#upper = 0xbf;
        this.#code = (this.#code << 6) | (byte & 0x3f);
        if (--this.#needed === 0) this.emit(this.#code);
      }
    }
  }

  #lead(byte) {
    if (byte < 0x80) return this.emit(byte);
    if (byte < 0xc2 || byte > 0xf4) return this.wrong();
    this.#needed = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    this.#code = byte & (0x3f >> this.#needed);
    if (byte === 0xe0) this.#lower = 0xa0;
    if (byte === 0xed) this.#upper = 0x9f;
    if (byte === 0xf0) this.#lower = 0x90;
    if (byte === 0xf4) this.#upper = 0x8f;
  }

  #reset() {
    this.#needed = 0;
    this.#lower = 0x80;
    this.#upper = 0xbf;
  }

  end() {
    if (this.#needed === 0) return;
    this.#reset();
    this.wrong();
  }
}

class Utf16 extends Decoder {
  #low = -1;
  #lead = -1;

  push(bytes) {
    for (const byte of bytes) {
      if (this.#low < 0) {
        this.#low = byte;
      } else {
        const unit = this.#low | (byte << 8);
        this.#low = -1;
        this.#unit(unit);
      }
    }
  }

  #unit(unit) {
    if (this.#lead >= 0) {
      const lead = this.#lead;
      this.#lead = -1;
      if (unit >= 0xdc00 && unit <= 0xdfff) return this.emit(((lead - 0xd800) << 10) + (unit - 0xdc00) + 0x10000);
      this.wrong();
    }
    if (unit >= 0xd800 && unit <= 0xdbff) this.#lead = unit;
    else if (unit >= 0xdc00 && unit <= 0xdfff) this.wrong();
    else this.emit(unit);
  }

  end() {
    if (this.#low < 0 && this.#lead < 0) return;
    this.#low = -1;
    this.#lead = -1;
    this.wrong();
  }
}

class Latin1 extends Decoder {
  push(bytes) {
    for (const byte of bytes) this.emit(byte >= 0x80 && byte < 0xa0 ? HIGH.charCodeAt(byte - 0x80) : byte);
  }

  end() {}
}

const DECODERS = { "utf-8": Utf8, "utf-16le": Utf16, "windows-1252": Latin1 };
