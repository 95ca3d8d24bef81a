(** Nothing is taken for granted: each claim rests on no axiom. *)

From Perun Require Import Theorems Balance Nanocontracts Hub Escrow.

Print Assumptions conservation.
Print Assumptions a_channel_pays_what_came_in.
Print Assumptions nothing_unsigned.
Print Assumptions holdings_fall_by_word.
Print Assumptions credit_falls_by_word.
Print Assumptions isolation.
Print Assumptions a_party_can_leave_alone.
Print Assumptions a_party_can_leave_with_a_state.
Print Assumptions the_clock_never_moves.
Print Assumptions guaranteed_closing.
Print Assumptions no_race.
Print Assumptions hub_neutrality.
Print Assumptions a_hub_gives_no_more_than_it_gets.
Print Assumptions until_then_it_is_covered.
Print Assumptions the_chain_moves_what_was_decided.
Print Assumptions a_secret_forces.
Print Assumptions OneWay.a_statement_forces.
Print Assumptions one_state_a_version.
Print Assumptions nothing_is_forgotten.
Print Assumptions what_is_owed_is_on_disk.
Print Assumptions balance_security.
Print Assumptions an_answer_never_fails.
Print Assumptions what_is_locked_is_paid.
Print Assumptions VPM.kept.
Print Assumptions VPM.nothing_unsigned.
Print Assumptions VPM.totals_only_rise.
Print Assumptions HashTimeLock.kept.
Print Assumptions HashTimeLock.nothing_without_the_preimage.
Print Assumptions CoinFlip.kept.
Print Assumptions CoinFlip.silence_is_never_worth_it.
Print Assumptions TurnGame.kept.
Print Assumptions TurnGame.a_result_is_within_the_locks.
Print Assumptions Escrow.kept.
Print Assumptions Escrow.an_outcome_is_within_the_locks.
Print Assumptions Escrow.nothing_without_a_word.
Print Assumptions Escrow.two_awards_give_everything_back.
Print Assumptions Escrow.an_agreement_stays.
