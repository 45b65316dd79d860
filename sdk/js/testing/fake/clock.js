export const now = () => performance.now() * 1e6;

export const waitFor = (nanoseconds) => new Promise((resolve) => setTimeout(resolve, nanoseconds / 1e6));
