/** Reads QR codes: by the browser where it can, else by a decoder that is loaded when it is needed. */

interface Detector {
  detect(source: ImageBitmapSource): Promise<{ rawValue: string }[]>;
}

type Detecting = new (options: { formats: string[] }) => Detector;

/** Pixels of the longer side of a frame that is looked at; more is slower and finds no more. */
const MOST_PIXELS = 800;
const LOOK_MS = 120;

type Frame = HTMLVideoElement | ImageBitmap;

function sizeOf(frame: Frame): [width: number, height: number] {
  const isVideo = frame instanceof HTMLVideoElement;
  const [width, height] = isVideo
    ? [frame.videoWidth, frame.videoHeight]
    : [frame.width, frame.height];
  const scale = Math.min(1, MOST_PIXELS / Math.max(width, height, 1));
  return [Math.round(width * scale), Math.round(height * scale)];
}

/** The text of the code in a picture; undefined: there is none to be read. */
export async function read(frame: Frame): Promise<string | undefined> {
  const { BarcodeDetector: native } = globalThis as { BarcodeDetector?: Detecting };
  if (native !== undefined) {
    try {
      const found = await new native({ formats: ["qr_code"] }).detect(frame);
      if (found[0] !== undefined) return found[0].rawValue;
    } catch {
      // Some browsers have the name and no service behind it.
    }
  }
  const [width, height] = sizeOf(frame);
  const pen = new OffscreenCanvas(Math.max(width, 1), Math.max(height, 1)).getContext("2d", {
    willReadFrequently: true,
  });
  if (pen === null || width === 0) return undefined;
  pen.drawImage(frame, 0, 0, width, height);
  const { decodeQR } = await import("qr/decode.js");
  try {
    return decodeQR({ width, height, data: pen.getImageData(0, 0, width, height).data });
  } catch {
    return undefined;
  }
}

/** Looks at what the camera shows until a code is found or `stop` is called. */
export async function watch(
  video: HTMLVideoElement,
  found: (text: string) => void,
): Promise<() => void> {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: "environment" },
  });
  let isOver = false;
  const stop = (): void => {
    isOver = true;
    for (const track of stream.getTracks()) track.stop();
  };
  video.srcObject = stream;
  await video.play();
  void (async () => {
    while (!isOver) {
      const text = await read(video);
      if (text !== undefined && !isOver) {
        stop();
        found(text);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  })();
  return stop;
}
