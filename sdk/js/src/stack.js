// Stack traces which name the author's files. The builder adds a table of lines to the
// bundle; without one, a stack stays as it is.

const FRAME = /\/?\bplugin\.js:(\d+)(:\d+)?/;

/** The frames of the author's code, with their files and lines. */
export function readable(stack, table = globalThis.__holdfastLines) {
  if (!table) return stack;
  const { files, runs } = JSON.parse(table);
  const place = (line) => {
    const run = runs.findLast(([first]) => first <= line);
    return run && line < run[0] + run[1] ? { file: files[run[2]], line: run[3] + (line - run[0]) + 1 } : null;
  };
  const frames = stack.split("\n").map((frame) => {
    const found = FRAME.exec(frame);
    const origin = found && place(Number(found[1]) - 1);
    if (!origin) return frame.includes("initializer.js") ? null : frame;
    return origin.file === "" ? null : frame.replace(FRAME, `${origin.file}:${origin.line}`);
  });
  return frames.filter((frame) => frame !== null).join("\n");
}
