(** Reorganisations: the chain may fall back to any block and go on differently.

    What was signed on a branch stays signed, though the branch is gone: a signature, once shown, can
    be brought on every other branch.  So the adversary may have, on the branch that stays, all that
    was ever given on any.  It could have had that without a reorganisation, because in [Step] anybody
    signs whatever and whenever: a branch is a history like another, and what [reachable] says of
    histories holds on each, however deep the fork, however often. *)

From Perun Require Export Calls.

Section Forks.
Variable self : Address.

(** [replaced]: instead of the chain as it was, another that could have been, of any age; whatever was
    given on either stays given. *)
Inductive Life : World * Given -> Prop :=
  | born : Life (start, [])
  | goes_on : forall x y, Life x -> Step self x y -> Life y
  | replaced : forall w g w' g', Life (w, g) -> Life (w', g') -> Life (w', g' ++ g).

Lemma has_more : forall g h s, has g s -> has (g ++ h) s.
Proof. intros g h [| |k m] H; simpl in *; auto. apply in_or_app. left. exact H. Qed.

Lemma steps_with_more : forall x y, Steps self x y -> forall h,
  Steps self (fst x, snd x ++ h) (fst y, snd y ++ h).
Proof.
  induction 1 as [x|x y z S IH St]; intros h; [ apply none |].
  eapply more; [ apply IH |]. destruct St; simpl fst; simpl snd.
  - apply (signs self w (g ++ h) k m).
  - apply passes. assumption.
  - apply gift. assumption.
  - eapply calls; [| eassumption ].
    match goal with H : Forall _ _ |- _ => eapply Forall_impl; [| exact H ] end.
    intros s. apply has_more.
Qed.

Lemma all_signed_first : forall g, Steps self (start, []) (start, g).
Proof.
  induction g as [|[k m] g IH]; [ apply none |].
  eapply more; [ exact IH |]. apply signs.
Qed.

Lemma steps_on : forall x y z, Steps self x y -> Steps self y z -> Steps self x z.
Proof.
  intros x y z S T. revert S. induction T as [y|y u z T IH St]; intros S; [ exact S |].
  eapply more; [ apply IH; exact S | exact St ].
Qed.

(** So every theorem about reachable worlds (P1, P3, P5, P7, P10) holds after any reorganisations,
    with no assumption on their depth. *)
Theorem a_branch_is_another_history : forall w g, Life (w, g) -> reachable self w g.
Proof.
  assert (X : forall x, Life x -> reachable self (fst x) (snd x)).
  { induction 1 as [|x y L IH St|w g w' g' L IH L' IH'].
    - apply none.
    - unfold reachable in *. destruct x, y. eapply more; eassumption.
    - unfold reachable in *. simpl in *. eapply steps_on; [ apply (all_signed_first g) |].
      exact (steps_with_more _ _ IH' g). }
  intros w g L. exact (X _ L).
Qed.

(** For instance: whoever has lost a branch on which it had been paid has lost nothing that was not
    its own there either; what it gets on the branch that stays is by its word. *)
Theorem nothing_unsigned_on_any_branch : forall w g, Life (w, g) ->
  forall p, In p (payouts w) -> PayoutSound w g p.
Proof. intros w g L. apply (nothing_unsigned self). apply a_branch_is_another_history, L. Qed.
End Forks.
