/** What went wrong, for the person who builds, and how to mend it. */
export class Problem extends Error {
  constructor(message, hint) {
    super(message);
    this.name = "Problem";
    this.hint = hint;
  }
}
