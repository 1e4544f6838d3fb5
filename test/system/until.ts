/** Waits for a condition; the failure says which one never came. */
export async function until(what: string, condition: () => boolean, limitMs = 5000): Promise<void> {
  const endMs = performance.now() + limitMs
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`never came: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
