export const getMany = (bucket, keys) => keys.map((key) => [key, bucket.get(key)]);

export const setMany = (bucket, pairs) => pairs.forEach(([key, value]) => bucket.set(key, value));

export const deleteMany = (bucket, keys) => keys.forEach((key) => bucket.delete(key));
