/** A camera that shows what a test wants: the browser reads its pictures from a file. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import encodeQR from "qr";

const FILE = join(mkdtempSync(join(tmpdir(), "perun-camera-")), "camera.y4m");
const [WIDTH, HEIGHT] = [640, 480];
const FRAMES = 10;

export const CAMERA = [
  "--use-fake-ui-for-media-stream",
  "--use-fake-device-for-media-stream",
  `--use-file-for-fake-video-capture=${FILE}`,
];

/** From now on the camera sees a code with this text, or a white wall; whoever looks begins at the
 *  first picture. */
export function shows(text) {
  const rows = text === undefined ? [] : encodeQR(text, "raw", { ecc: "low", border: 4 });
  const scale = Math.floor(HEIGHT / Math.max(rows.length, 1));
  const light = Buffer.alloc(WIDTH * HEIGHT, 0xeb);
  for (let down = 0; down < rows.length * scale; down += 1) {
    for (let across = 0; across < rows.length * scale; across += 1) {
      const dark = rows[Math.floor(down / scale)][Math.floor(across / scale)];
      if (dark) light[down * WIDTH + across] = 0x10;
    }
  }
  const grey = Buffer.alloc((WIDTH * HEIGHT) / 2, 0x80);
  const frame = Buffer.concat([Buffer.from("FRAME\n"), light, grey]);
  const head = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\n`);
  writeFileSync(FILE, Buffer.concat([head, ...Array(FRAMES).fill(frame)]));
}

shows(undefined);
