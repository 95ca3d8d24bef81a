/** What a press of a button sets going: whether it is under way, and what went wrong with it. */
import { page, problem, type Problem } from "../state.svelte";

export class Attempt {
  busy = $state(false);
  trouble = $state<Problem | undefined>(undefined);

  /** Looks something up. */
  async look(what: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.trouble = undefined;
    try {
      await what();
    } catch (error) {
      this.trouble = problem(error);
    } finally {
      this.busy = false;
    }
  }

  /** Changes something: all that is shown is asked for after it. */
  async change(what: () => Promise<void>): Promise<void> {
    await this.look(what);
    void page.refresh();
  }
}
