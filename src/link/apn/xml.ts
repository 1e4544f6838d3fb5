/**
 * Elements, attributes and texts of an XML file as they stand in it, for a document that is too big to be held as a tree. Knows
 * comments, CDATA and the five entities and numbers of XML 1.0; no DTD is obeyed. Malformed input never throws: what cannot be
 * read is passed over. Used by `providers.ts`.
 */

export interface XmlListener {
  open(name: string, attributes: Readonly<Record<string, string>>): void
  /** Also of an element that is empty. */
  close(name: string): void
  text(text: string): void
}

const ATTRIBUTE = /([^\s=/"'<>]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

export function scanXml(xml: string, listener: XmlListener): void {
  for (let at = 0; at < xml.length; ) {
    const start = xml.indexOf('<', at)
    if (start < 0) return
    if (start > at) listener.text(decode(xml.slice(at, start)))
    at = scanMarkup(xml, start, listener)
  }
}

/** Answers where it ends. */
function scanMarkup(xml: string, start: number, listener: XmlListener): number {
  if (xml.startsWith('<!--', start)) return after(xml, '-->', start + 4)
  if (xml.startsWith('<![CDATA[', start)) {
    const end = after(xml, ']]>', start + 9)
    listener.text(xml.slice(start + 9, end - 3))
    return end
  }
  if (xml.startsWith('<?', start)) return after(xml, '?>', start + 2)
  const end = after(xml, '>', start + 1)
  // <!DOCTYPE and the like.
  if (xml[start + 1] === '!') return end
  const tag = xml.slice(start + 1, end - 1)
  if (tag.startsWith('/')) listener.close(tag.slice(1).trim())
  else openTag(tag, listener)
  return end
}

function openTag(tag: string, listener: XmlListener): void {
  const name = /^[^\s/]+/.exec(tag)?.[0]
  if (name === undefined) return
  const attributes: Record<string, string> = Object.create(null)
  for (const [, key = '', double, single] of tag.slice(name.length).matchAll(ATTRIBUTE))
    attributes[key] = decode(double ?? single ?? '')
  listener.open(name, attributes)
  if (tag.endsWith('/')) listener.close(name)
}

function after(xml: string, end: string, from: number): number {
  const at = xml.indexOf(end, from)
  return at < 0 ? xml.length + end.length : at + end.length
}

function decode(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|(\w+));/g, (whole, decimal, hex, name: string) => {
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
    if (name !== undefined) return Object.hasOwn(ENTITIES, name) ? ENTITIES[name]! : whole
    return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd'
  })
}
