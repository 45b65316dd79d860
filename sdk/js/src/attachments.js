// Between the WIT interface `attachments` and the author's `format` and `migrate`.

import { toBytes } from "./bytes.js";
import { report } from "./report.js";

export function attachmentsExports({ format, migrate }) {
  if (typeof format !== "string") throw new TypeError("attachments.format is a string");
  return {
    format: () => format,
    migrate(from, attachment) {
      try {
        return toBytes(migrate(from, attachment));
      } catch (error) {
        report("attachments.migrate", error);
        throw error instanceof Error ? error.message : String(error);
      }
    },
  };
}
