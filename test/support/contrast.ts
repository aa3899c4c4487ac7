/**
 * Runs inside a page: every text whose contrast with what is behind it is below what WCAG 2.2 asks for (1.4.3, level AA), and every
 * field whose border does not stand out (1.4.11).
 */
export const lowContrasts = (): ReadonlyArray<string> => {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!
  /** As bytes, whatever way the style writes the colour. */
  const bytesOf = (color: string): ReadonlyArray<number> => {
    context.clearRect(0, 0, 1, 1)
    context.fillStyle = color
    context.fillRect(0, 0, 1, 1)
    return [...context.getImageData(0, 0, 1, 1).data]
  }
  const luminance = (color: ReadonlyArray<number>): number => {
    const [r, g, b] = color.map((byte) => byte / 255).map((c) =>
      c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
    )
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element: Element | null): ReadonlyArray<number> => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = bytesOf(getComputedStyle(at).backgroundColor)
      if (color[3] === 255) return color
      if (color[3] !== 0) throw new Error(`${at.tagName} is half transparent`)
    }
    return [255, 255, 255, 255]
  }
  const contrast = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number => {
    const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x)
    return (light + 0.05) / (dark + 0.05)
  }
  const found: Array<string> = []
  for (const element of document.body.querySelectorAll("*")) {
    const style = getComputedStyle(element)
    const hasText = [...element.childNodes].some((node) =>
      node.nodeType === Node.TEXT_NODE && node.textContent!.trim() !== ""
    )
    const report = (what: string, color: string, ground: ReadonlyArray<number>, least: number) => {
      const value = contrast(bytesOf(color), ground)
      if (value < least) {
        found.push(`${what} of <${element.tagName.toLowerCase()} class="${element.className}">: ${value.toFixed(2)}`)
      }
    }
    if (hasText && !element.closest("svg, option")) {
      const size = parseFloat(style.fontSize)
      const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
      report(`"${element.textContent!.trim().slice(0, 20)}"`, style.color, behind(element), isLarge ? 3 : 4.5)
    }
    if (element.matches("input:not([type=hidden], [type=checkbox], [type=radio]), select")) {
      report("the border", style.borderTopColor, behind(element.parentElement), 3)
    }
  }
  return found
}
