/** Codes that are shown and read: by a camera, and out of a picture. */
import { shows } from "./camera.mjs";
import { check } from "./people.mjs";

/** @param alice is paid, @param bob looks */
export async function codesAreRead(alice, bob) {
  const request = await alice.request("0.003", "by camera");
  const picture = await alice.page.locator('[data-test="code"]').screenshot();

  await bob.go("Pay");
  await bob.press("Scan a code");
  await bob.page.locator("video").waitFor();
  await bob.press("Stop");
  shows("https://elsewhere.example/nothing");
  await bob.press("Scan a code");
  await bob.page.getByText("This code is of something else").waitFor();
  shows(request);
  await bob.press("Scan a code");
  await bob.page.waitForFunction(
    (wanted) => document.querySelector('[name="to"]').value === wanted,
    request,
  );
  check(true, "a camera reads a code");
  await bob.confirmPaying();

  // Away and back: the request from before must not be read for the new one.
  await alice.go("Home");
  const again = await alice.request("0.002", "by picture");
  const shown = await alice.page.locator('[data-test="code"]').screenshot();
  check(!shown.equals(picture), "another request has another code");
  await bob.go("Home");
  await bob.go("Pay");
  await bob.page
    .locator('[name="picture"]')
    .setInputFiles({ name: "code.png", mimeType: "image/png", buffer: shown });
  await bob.page.waitForFunction(
    (wanted) => document.querySelector('[name="to"]').value === wanted,
    again,
  );
  await bob.confirmPaying();
  check(true, "a picture of the code that is shown is read, and paid");
}
