import { show } from '../errors.ts'
import { type LayersModelFile, longestJson, parseObject, readModel } from './layersModel.ts'
import type { WeightGroup } from './manifest.ts'
import { bytesNeeded, readWeights, stretchOf } from './weights.ts'

/** How a model is fetched, with TensorFlow.js' names. */
export interface FetchOptions {
  /** What `fetch` is given for every request. */
  requestInit?: RequestInit
  /** Used in place of `fetch`. */
  fetchFunc?: typeof fetch
  /** Hears of the part of the weights' bytes that has come, up to 1. */
  onProgress?: (fraction: number) => void
  /** Put before the paths of weights in place of the folder of model.json. */
  weightPathPrefix?: string
  /** Gives the URL for the path of weights. */
  weightUrlConverter?: (path: string) => string | Promise<string>
}

/** What `url` answers with, refused as soon as it is longer than `most` bytes. */
async function download(
  where: string,
  url: string,
  most: number,
  { fetchFunc = fetch, requestInit }: FetchOptions,
  heard: (bytes: number) => void = () => {},
): Promise<Uint8Array[]> {
  const answer = await fetchFunc(url, requestInit)
  if (!answer.ok)
    throw new Error(`${where} must be found, got status ${answer.status}; check the URL and the server`)
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of answer.body ?? [new Uint8Array(await answer.arrayBuffer())]) {
    bytes += piece.length
    if (bytes > most) throw new RangeError(`${where} must have at most ${most} bytes, got more`)
    pieces.push(piece)
    heard(piece.length)
  }
  return pieces
}

/** Gives the URLs of weights: below the prefix, unless the caller's own function makes them. */
function weightUrls(where: string, url: string, options: FetchOptions): (path: string) => Promise<string> {
  const { weightPathPrefix: prefix = new URL('.', url).href, weightUrlConverter } = options
  if (!URL.canParse(prefix))
    throw new RangeError(`loadLayersModel: weightPathPrefix must be a whole URL, got ${show(prefix)}`)
  return async path => {
    if (weightUrlConverter) return weightUrlConverter(path)
    const found = prefix + path + new URL(url).search
    if (URL.canParse(found) && new URL(found).href.startsWith(new URL(prefix).href)) return found
    throw new RangeError(`${where} ${path} must lie below ${prefix}, got ${show(found)}`)
  }
}

/**
 * Fetches model.json and its weights, which are no more trusted than files: an answer is given up once it is
 * longer than what it should be.
 * @throws TypeError or RangeError for a wrong model, Error for another status than that of success, fetch's own
 */
export async function fetchLayersModel(url: string, options: FetchOptions): Promise<LayersModelFile> {
  const where = `loadLayersModel: ${url}`
  if (!URL.canParse(url)) throw new RangeError(`loadLayersModel: URL must be whole, got ${show(url)}`)
  const urlOf = weightUrls(where, url, options)
  const json = parseObject(where, Buffer.concat(await download(where, url, longestJson, options)).toString())
  return readModel(where, json, groups => {
    const total = groups.reduce((sum, group) => sum + bytesNeeded(group), 0)
    let come = 0
    const heard = (bytes: number) => {
      come += bytes
      if (total > 0) options.onProgress?.(come / total)
    }
    const fetchGroup = async (group: WeightGroup) => {
      const pieces: Uint8Array[] = []
      let left = bytesNeeded(group)
      for (const path of group.paths) {
        const found = await download(`${where} ${path}`, await urlOf(path), left, options, heard)
        pieces.push(...found)
        left -= found.reduce((sum, { length }) => sum + length, 0)
      }
      return pieces.map(stretchOf)
    }
    return readWeights(where, groups, fetchGroup)
  })
}
