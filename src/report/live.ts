import type { LayerSummary } from '../model/summary.ts'
import type { Announced, Audience, DashboardCallbackOptions } from '../training/announcing.ts'
import type { EpochRecord } from '../training/recorder.ts'
import { Dashboard } from './dashboard.ts'
import { plainReport } from './plain.ts'

/** What models have beside what all callbacks are told. */
interface Described {
  readonly name?: string
  layerSummaries?(): LayerSummary[]
}

/** The dashboard of any training; where its server cannot begin, that is said, and training goes on. */
export async function openLive(
  { model, params }: Announced,
  { port = 0, title, onUrl = url => console.log(`dashboard: ${url}`) }: DashboardCallbackOptions,
): Promise<Audience> {
  const { name = 'Training' } = model as Described
  const network = (model as Described).layerSummaries?.() ?? []
  const dashboard = await Dashboard.open({ port }).catch((error: Error) => {
    console.warn(`${error.message}; training goes on without it`)
    return undefined
  })
  const show = (epochs: readonly EpochRecord[], isDone: boolean) =>
    dashboard?.show(() =>
      plainReport({ title: title ?? name, epochs, planned: Number(params.epochs), network, isDone }),
    )
  show([], false)
  if (dashboard) onUrl(dashboard.url)
  return {
    told: epochs => show(epochs, false),
    async end(epochs) {
      show(epochs, true)
      await dashboard?.close()
    },
  }
}
