/** A node id as it fits into a line; names stay as they are. */
export function short(name: string): string {
  return /^perun1[a-z0-9]{40,}/.test(name) ? `${name.slice(0, 12)}…${name.slice(-6)}` : name;
}

/** Words with node ids in them, as they fit into lines. */
export function shortened(text: string): string {
  return text.replace(/perun1[a-z0-9]{40,}/g, short);
}
