/**
 * The texts of the records, in chains of blocks that hold 32 bytes each. No text lies on the heap, so that the garbage collector
 * has nothing to copy or to mark, memory does not become fragmented, and no text keeps a longer one alive.
 *
 * A block is named by a number from 1; 0 stands for no block. A text is kept as Latin-1 where that is possible, and otherwise as
 * UTF-16, which keeps every code unit as it is.
 */

const chunkBits = 12
const chunkBlocks = 1 << chunkBits
const chunkMask = chunkBlocks - 1

/** The first word of a block names the next block; the text follows. */
const payloadWords = 8
const blockWords = payloadWords + 1
const payloadBytes = payloadWords * 4

export const blockBytes = blockWords * 4

const beyondLatin1 = /[\u0100-\uffff]/

/** Every text up to this size passes through one Buffer, so that reading and writing allocate nothing but the text itself. */
const sharedBytes = 64 * 1024

class Scratch {
  readonly buffer: Buffer
  readonly words: Uint32Array
  constructor(size: number) {
    const memory = new ArrayBuffer(size)
    this.buffer = Buffer.from(memory)
    this.words = new Uint32Array(memory)
  }
}

const shared = new Scratch(sharedBytes)

const scratch = (size: number): Scratch =>
  size <= sharedBytes ? shared : new Scratch(Math.ceil(size / payloadBytes) * payloadBytes)

/** A text, whether it has to be kept as UTF-16 (`wide`), and the bytes that it takes. */
export class Measured {
  readonly wide: boolean
  readonly length: number

  constructor(readonly text: string) {
    this.wide = beyondLatin1.test(text)
    this.length = this.wide ? text.length * 2 : text.length
  }
}

/** The blocks that a text of so many bytes takes. */
export const blocksOf = (length: number): number => Math.ceil(length / payloadBytes)

export class Texts {
  private readonly words: Array<Uint32Array> = []
  private freeHead = 0
  private freeCount = 0
  /** the first block that was never taken; 0 stands for no block */
  private next = 1

  get allocatedBytes(): number {
    return this.words.length * chunkBlocks * blockBytes
  }

  /** Makes sure that so many blocks can be taken without more memory. */
  reserve(blocks: number): void {
    while (this.freeCount + (this.words.length << chunkBits) - this.next < blocks) {
      this.words.push(new Uint32Array(chunkBlocks * blockWords))
    }
  }

  /** Writes a text over a chain of blocks (0: over none), which becomes as long as the text needs. Returns its head. */
  write(head: number, { length, text, wide }: Measured): number {
    const { buffer, words } = scratch(length)
    buffer.write(text, 0, length, wide ? "utf16le" : "latin1")
    const total = Math.ceil(length / payloadBytes) * payloadWords
    let first = head
    let previous = 0
    let block = head
    for (let from = 0; from < total; from += payloadWords) {
      if (block === 0) {
        block = this.take()
        if (previous === 0) first = block
        else this.setNext(previous, block)
      }
      const chunk = this.words[block >>> chunkBits]
      const at = (block & chunkMask) * blockWords + 1
      for (let i = 0; i < payloadWords; i++) chunk[at + i] = words[from + i]
      previous = block
      block = this.getNext(block)
    }
    if (block !== 0) {
      if (previous === 0) first = 0
      else this.setNext(previous, 0)
      this.release(block)
    }
    return first
  }

  read(head: number, length: number, asWide: boolean): string {
    const { buffer, words } = scratch(length)
    let to = 0
    for (let block = head; block !== 0; block = this.getNext(block)) {
      const chunk = this.words[block >>> chunkBits]
      const at = (block & chunkMask) * blockWords + 1
      for (let i = 0; i < payloadWords; i++) words[to++] = chunk[at + i]
    }
    return buffer.toString(asWide ? "utf16le" : "latin1", 0, length)
  }

  /** Frees a whole chain of blocks. */
  release(head: number): void {
    let block = head
    while (block !== 0) {
      const next = this.getNext(block)
      this.setNext(block, this.freeHead)
      this.freeHead = block
      this.freeCount++
      block = next
    }
  }

  private take(): number {
    let block = this.freeHead
    if (block === 0) {
      block = this.next++
    } else {
      this.freeHead = this.getNext(block)
      this.freeCount--
      this.setNext(block, 0)
    }
    return block
  }

  private getNext(block: number): number {
    return this.words[block >>> chunkBits][(block & chunkMask) * blockWords]
  }

  private setNext(block: number, next: number): void {
    this.words[block >>> chunkBits][(block & chunkMask) * blockWords] = next
  }
}
