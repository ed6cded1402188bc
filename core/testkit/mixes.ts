import { defaultMix, type Mix } from './mix.ts'

/**
 * What is rare under `defaultMix` and happens all the time under one of these: each brings a part of the state tables to
 * be taken by few short runs.
 */
export const mixes: Readonly<Record<string, Mix>> = {
  default: defaultMix,
  /** Partitions come and go with the repositories that they hang on, and are left out or refused before they were ever read. */
  partitions: {
    ...defaultMix,
    others: 0.3,
    even: 0,
    odds: {
      'partition-forgotten': 0.5,
      'partition-unreadable': 0.25,
      'listing-scope-404': 0.1,
      'listing-exception': 0.5,
      'permission-lost': 0.0003,
    },
    happen: 0.03,
    scan: 0.03,
    lateGone: 0,
    kinds: ['repo', 'branch', 'branch'],
    deeds: { delete: 20, restore: 20, create: 30, rename: 0, move: 0 },
    stretch: [1500, 500],
  },
  /** Repositories go, their branches with them, and come back. */
  cascades: {
    ...defaultMix,
    others: 0.02,
    even: 0,
    odds: { 'delivery-lost': 0 },
    happen: 0.04,
    deliver: 0.3,
    scan: 0.02,
    lateGone: 0,
    kinds: ['repo', 'repo', 'branch'],
    deeds: { delete: 30, restore: 30, create: 20, rename: 0, move: 0, toggle: 0 },
    stretch: [1500, 500],
  },
  /** Listings are asked to wait in the middle, and go on in another process or under another permission. */
  limits: {
    ...defaultMix,
    others: 0.3,
    even: 0,
    odds: { 'listing-rate-limited': 0.5, 'permission-lost': 0.004, crash: 0.003 },
    scan: 0.03,
    kinds: ['person', 'service', 'team'],
    stretch: [1500, 500],
  },
  /** Much is held, and answered by people, by what is seen and by the source's own word. */
  holds: {
    ...defaultMix,
    others: 0.2,
    even: 0,
    odds: { 'permission-lost': 0.006, 'listing-half': 0.15, 'listing-empty': 0.2, 'delivery-lost': 0 },
    happen: 0.04,
    deliver: 0.2,
    scan: 0.03,
    lateGone: 0,
    kinds: ['service', 'service', 'repo'],
    deeds: { delete: 30, restore: 40, move: 0, toggle: 0, 're-create': 0 },
    stretch: [1500, 500],
  },
}
