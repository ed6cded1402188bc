import { step, steps } from '../budget.ts'
import { before, holds } from './anchors.ts'
import type { Instruction, Program } from './program.ts'
import type { RegexOptions } from './syntax.ts'

/** Kinds of entries on the backtracking stack; each entry has five numbers. */
const choice = 0
/** A greedy run that can give back one more character. */
const shrink = 1
/** A lazy run that can take one more character. */
const grow = 2
const undoSlot = 3
const undoRegister = 4
const width = 5

const segmenter = new Intl.Segmenter()

/**
 * Runs a program over one text by backtracking, with a stack of its own. Each instruction counts against the budget of the
 * evaluation, so that no pattern can run away, whatever its meaning needs.
 */
export class Machine {
  readonly #program: Program
  readonly #text: string
  readonly #options: Pick<RegexOptions, 'longest' | 'notEmpty'>
  readonly #slots: number[]
  readonly #registers: number[]
  readonly #stack: number[] = []
  /** Where calls return to; a linked list, so that backtracking into a call finds its caller again. */
  readonly #returns: { readonly to: number; readonly up: number }[] = []
  #searchStart = 0
  #steps = 0
  #best: number[] | null = null

  constructor(program: Program, text: string, options: Pick<RegexOptions, 'longest' | 'notEmpty'>) {
    this.#program = program
    this.#text = text
    this.#options = options
    this.#slots = Array.from({ length: program.groups * 2 + 2 }, () => -1)
    this.#registers = Array.from({ length: program.registers }, () => -1)
  }

  /** The match that starts at `start`, or null. */
  matchAt(start: number, searchStart: number): readonly number[] | null {
    this.#searchStart = searchStart
    this.#stack.length = 0
    this.#returns.length = 0
    this.#slots.fill(-1)
    this.#slots[0] = start
    this.#best = null
    const end = this.#run(0, start, -1)
    if (this.#best !== null) return this.#best
    if (end < 0) return null
    this.#slots[1] = end
    return this.#slots.slice()
  }

  /** Run from an instruction up to the end of its part. Where it ended, or -1; what it saved stays to be undone. */
  #run(from: number, start: number, caller: number): number {
    const { code } = this.#program
    const base = this.#stack.length
    let at = from
    let position = start
    let back = caller
    for (;;) {
      if ((++this.#steps & 3) === 0) step()
      const instruction = code[at]
      if (instruction === undefined) return -1
      let next = -1
      switch (instruction.op) {
        case 'set':
          next = this.#one(instruction.set, position)
          break
        case 'run':
          next = this.#start(instruction, at, position, back)
          break
        case 'split':
          this.#push(choice, instruction.second, position, back, 0)
          at = instruction.first - 1
          next = position
          break
        case 'jump':
          at = instruction.to - 1
          next = position
          break
        case 'save':
          this.#save(instruction.slot, position)
          next = position
          break
        case 'mark':
          this.#push(undoRegister, instruction.register, this.#registers[instruction.register] ?? -1, 0, 0)
          this.#registers[instruction.register] = position
          next = position
          break
        case 'progress':
          if (this.#registers[instruction.register] === position) at = instruction.to - 1
          next = position
          break
        case 'call': {
          const to = this.#program.calls.get(instruction.group)
          if (to !== undefined) {
            this.#returns.push({ to: at + 1, up: back })
            back = this.#returns.length - 1
            at = to - 1
            next = position
          }
          break
        }
        case 'return': {
          const caller = this.#returns[back]
          if (caller !== undefined) {
            at = caller.to - 1
            back = caller.up
            next = position
          }
          break
        }
        case 'accept':
          return position
        case 'match':
          if (this.#accepts(position)) return position
          break
        case 'look':
        case 'behind':
        case 'atomic':
        case 'absent':
          next = this.#part(instruction, at, position)
          if (next >= 0) at = instruction.end - 1
          break
        case 'condition':
          if (!instruction.groups.some((group) => this.#took(group))) at = instruction.otherwise - 1
          next = position
          break
        case 'anchor':
        case 'back':
        case 'keep':
        case 'grapheme':
          next = this.#simple(instruction, position)
          break
      }
      if (next >= 0) {
        position = next
        at++
        continue
      }
      const resumed = this.#backtrack(base)
      if (resumed === null) return -1
      at = resumed.at
      position = resumed.position
      back = resumed.back
    }
  }

  readonly #resumed = { at: 0, position: 0, back: 0 }

  /** Take the newest choice back up, undoing what was saved since. Null when none is left above `base`. */
  #backtrack(base: number): { at: number; position: number; back: number } | null {
    const stack = this.#stack
    const resumed = this.#resumed
    while (stack.length > base) {
      const extra = stack.pop() ?? 0
      const third = stack.pop() ?? 0
      const second = stack.pop() ?? 0
      const first = stack.pop() ?? 0
      const kind = stack.pop() ?? 0
      if (kind === undoSlot) this.#slots[first] = second
      else if (kind === undoRegister) this.#registers[first] = second
      else if (kind === choice) {
        resumed.at = first
        resumed.position = second
        resumed.back = third
        return resumed
      } else if (kind === shrink) {
        const position = before(this.#text, second)
        if (position > extra) this.#push(shrink, first, position, third, extra)
        resumed.at = first
        resumed.position = position
        resumed.back = third
        return resumed
      } else {
        const instruction = this.#program.code[first]
        const position = instruction?.op === 'run' ? this.#one(instruction.set, second) : -1
        if (position < 0) continue
        if (extra > 1) this.#push(grow, first, position, third, extra - 1)
        resumed.at = first + 1
        resumed.position = position
        resumed.back = third
        return resumed
      }
    }
    return null
  }

  #push(kind: number, first: number, second: number, third: number, extra: number): void {
    this.#stack.push(kind, first, second, third, extra)
  }

  #save(slot: number, position: number): void {
    this.#push(undoSlot, slot, this.#slots[slot] ?? -1, 0, 0)
    this.#slots[slot] = position
  }

  /** Behind one character of the set at a position, or -1. */
  #one(set: Extract<Instruction, { op: 'set' }>['set'], position: number): number {
    const code = this.#text.codePointAt(position)
    if (code === undefined || (set.only === undefined ? !set.has(code) : set.only !== code)) return -1
    return position + (code > 0xffff ? 2 : 1)
  }

  #start(run: Extract<Instruction, { op: 'run' }>, at: number, position: number, back: number): number {
    let current = position
    let count = 0
    while (count < run.least) {
      current = this.#one(run.set, current)
      if (current < 0) return -1
      count++
    }
    if (!run.greedy) {
      if (run.most > count) this.#push(grow, at, current, back, run.most - count)
      return current
    }
    const least = current
    while (count < run.most) {
      if ((++this.#steps & 31) === 0) step()
      const next = this.#one(run.set, current)
      if (next < 0) break
      current = next
      count++
    }
    if (current > least) this.#push(shrink, at + 1, current, back, least)
    return current
  }

  /** A part matched on its own. Choices inside are given up, saved groups are kept unless it was negative. */
  #part(part: Extract<Instruction, { end: number }>, at: number, position: number): number {
    const base = this.#stack.length
    if (part.op === 'absent') return this.#absent(at, position)
    const end = part.op === 'behind' ? this.#behind(part, at, position) : this.#run(at + 1, position, -1)
    const negative = part.op !== 'atomic' && part.negative
    if (end < 0) return negative ? position : -1
    if (negative) {
      while (this.#backtrackOnce(base));
      return -1
    }
    this.#commit(base)
    return part.op === 'atomic' ? end : position
  }

  #behind(part: Extract<Instruction, { op: 'behind' }>, at: number, position: number): number {
    let start = position
    for (let count = 0; count <= part.most && start >= 0; count++) {
      if ((++this.#steps & 7) === 0) step()
      if (count >= part.least && this.#endsAt(at + 1, start, position)) return position
      if (start === 0) return -1
      start = before(this.#text, start)
    }
    return -1
  }

  /** Whether a part can match exactly from `start` to `end`. */
  #endsAt(at: number, start: number, end: number): boolean {
    const base = this.#stack.length
    let reached = this.#run(at, start, -1)
    while (reached >= 0 && reached !== end) {
      const resumed = this.#backtrack(base)
      if (resumed === null) return false
      reached = this.#resume(resumed.at, resumed.position, resumed.back, base)
    }
    return reached === end
  }

  /** Go on with a choice of a part that was left already; its older choices count as its own. */
  #resume(at: number, position: number, back: number, base: number): number {
    let reached = this.#run(at, position, back)
    while (reached < 0) {
      const older = this.#backtrack(base)
      if (older === null) return -1
      reached = this.#run(older.at, older.position, older.back)
    }
    return reached
  }

  /** The longest stretch from here in which the part matches nowhere, and every shorter one as a choice. */
  #absent(at: number, position: number): number {
    let limit = this.#text.length
    for (let start = position; start <= limit; start++) {
      const base = this.#stack.length
      const end = this.#run(at + 1, start, -1)
      while (this.#backtrackOnce(base));
      if (end >= 0 && end <= limit) limit = end === start ? start - 1 : before(this.#text, end)
    }
    if (limit < position) return -1
    const next = this.#program.code[at]
    if (next?.op === 'absent' && limit > position) this.#push(shrink, next.end, limit, -1, position)
    return limit
  }

  #backtrackOnce(base: number): boolean {
    const stack = this.#stack
    if (stack.length <= base) return false
    const [kind, first = 0, second = 0] = stack.splice(-width)
    if (kind === undoSlot) this.#slots[first] = second
    else if (kind === undoRegister) this.#registers[first] = second
    return true
  }

  /** Drop the choices above `base` and keep what must be undone if an older choice is taken up. */
  #commit(base: number): void {
    const stack = this.#stack
    let to = base
    for (let from = base; from < stack.length; from += width) {
      const kind = stack[from]
      if (kind !== undoSlot && kind !== undoRegister) continue
      for (let at = 0; at < width; at++) stack[to + at] = stack[from + at] ?? 0
      to += width
    }
    stack.length = to
  }

  #took(group: number): boolean {
    return (this.#slots[group * 2 + 1] ?? -1) >= 0
  }

  /** With `longest`, a match is noted and refused, so that all others are tried too. */
  #accepts(position: number): boolean {
    const start = this.#slots[0] ?? 0
    if (this.#options.notEmpty && position === start) return false
    if (!this.#options.longest) return true
    const best = this.#best
    if (best === null || position > (best[1] ?? 0)) {
      this.#best = this.#slots.slice()
      this.#best[1] = position
    }
    return false
  }

  #simple(
    instruction: Extract<Instruction, { op: 'anchor' | 'back' | 'keep' | 'grapheme' }>,
    position: number,
  ): number {
    switch (instruction.op) {
      case 'anchor':
        return holds(instruction.at, this.#text, position, this.#searchStart) ? position : -1
      case 'back':
        return this.#repeated(instruction.groups, instruction.ignoreCase, position)
      case 'keep':
        this.#save(0, position)
        return position
      case 'grapheme': {
        steps(20)
        const [first] = segmenter.segment(this.#text.slice(position, position + 32))
        return first === undefined ? -1 : position + first.segment.length
      }
    }
  }

  #repeated(groups: readonly number[], ignoreCase: boolean, position: number): number {
    for (const group of groups.toReversed()) {
      if (!this.#took(group)) continue
      const part = this.#text.slice(this.#slots[group * 2], this.#slots[group * 2 + 1])
      const here = this.#text.slice(position, position + part.length)
      if (here === part || (ignoreCase && here.toLowerCase() === part.toLowerCase())) return position + part.length
    }
    return -1
  }
}
