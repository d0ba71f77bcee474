// What a chosen or dropped file is, told from its type and name.

/** Type and name of a file. */
interface Named {
  readonly type: string;
  readonly name: string;
}

/** What a file of words holds, by its name: times of phones, or the text that is spoken. */
export function wordsKind({ type, name }: Named): "phones" | "transcript" | undefined {
  if (/\.(json|jsonl|ndjson|marks|ctm|textgrid)$/i.test(name)) return "phones";
  if (/\.te?xt$/i.test(name) || type === "text/plain") return "transcript";
  return undefined;
}

/** What a file is meant as, by its type or, where the system knows none, by its name. */
export function kindOf({ type, name }: Named): "portrait" | "voice" | "words" | undefined {
  if (wordsKind({ type, name }) !== undefined) return "words";
  if (type.startsWith("image/") || /\.(jpe?g|png|webp|avif|heic|gif|bmp)$/i.test(name)) return "portrait";
  const sound = /\.(wav|mp3|flac|ogg|oga|opus|m4a|aac|mp4|webm|aiff?)$/i;
  if (type.startsWith("audio/") || type.startsWith("video/") || sound.test(name)) return "voice";
  return undefined;
}
