export const waitFor = (nanoseconds) => new Promise((resolve) => setTimeout(resolve, nanoseconds / 1e6));
