// What a frame of v2 says. v2 names no sender: a frame is an arrival, a text or bytes.

export const maxMessage = 0xffffff - 4096; // bytes; leaves room for what v1 puts around a message

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// parse reads a frame's data, a string or an ArrayBuffer, on a channel:
//   { arrival: uid }, { text }, or { bytes }
export function parse(data, channel) {
  if (typeof data === "string") {
    const uid = arrival(data, channel);
    return uid === null ? { text: shown(data) } : { arrival: uid };
  }
  const bytes = new Uint8Array(data);
  try {
    const text = strict.decode(bytes);
    return text.includes("\0") ? { bytes } : { text: shown(text) };
  } catch {
    return { bytes };
  }
}

// arrival is the name in a text frame that tells of somebody's arrival, else null. With mles 2.9.4 that is the hello of
// whoever came: what carries an auth must never be shown.
function arrival(text, channel) {
  let notice;
  try {
    notice = JSON.parse(text);
  } catch {
    return null;
  }
  if (notice === null || typeof notice !== "object" || typeof notice.uid !== "string" || typeof notice.channel !== "string") {
    return null;
  }
  if ("auth" in notice) return notice.uid;
  return notice.channel === channel && Object.keys(notice).length === 2 ? notice.uid : null;
}

// shown is a text without the newline that programs for terminals end a line with, and with other control characters
// made visible.
function shown(text) {
  return text.replace(/\r?\n$/, "").replace(/\r\n/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g,
    (c) => c === "\u007f" ? "\u2421" : String.fromCharCode(0x2400 + c.charCodeAt(0)));
}

// describe says what bytes that are no text are.
export function describe(bytes) {
  if (bytes.length === 0) return "an empty message";
  const first = Array.from(bytes.subarray(0, 12), (b) => b.toString(16).padStart(2, "0")).join(" ");
  const size = bytes.length === 1 ? "1 byte" : `${bytes.length.toLocaleString("en")} bytes`;
  return `${size}, not text: ${first}${bytes.length > 12 ? " …" : ""}`;
}

// line is what is sent for a text: consoles of v1 show a line when it ends.
export const line = (text) => new TextEncoder().encode(text + "\n");
