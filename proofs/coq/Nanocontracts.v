(** What every nanocontract promises (protocol, section 4), and why a hub then stays neutral (P4).

    A nanocontract is what it stores of one instance, what may be brought to it, and what it answers.
    Anybody may bring anything at any time; what a call that reverts leaves is what was there. *)

From Perun Require Export Contract Sums.

Section Rules.
Variables Record_ Evidence : Type.
Variable submit : Z -> Evidence -> Record_ -> Record_.
Variable answer : Z -> Record_ -> option Z.

(** [later (t, r) (t', r')]: from [r] at [t], time and anybody's evidence may lead to [r'] at [t']. *)
Inductive later : Z * Record_ -> Z * Record_ -> Prop :=
  | same : forall x, later x x
  | waits : forall x t t' r, later x (t, r) -> t <= t' -> later x (t', r)
  | brings : forall x t r e, later x (t, r) -> later x (t, submit t e r).

Lemma later_time : forall x y, later x y -> fst x <= fst y.
Proof. induction 1; simpl in *; lia. Qed.

Lemma later_trans : forall x y z, later x y -> later y z -> later x z.
Proof. intros x y z H K. induction K; [ exact H | eapply waits; eauto | eapply brings; eauto ]. Qed.

Definition fits_int112 (s : Z) : Prop := - 2 ^ 111 <= s < 2 ^ 111.

(** Once done it never changes; what is not done after the final time never will be; and what it
    answers is a number that [MSContract] reads. *)
Record Kept (final_time : Z) (begins : Record_ -> Prop) : Prop := {
  kept_begins : forall t e r, begins r -> begins (submit t e r);
  kept_stable_in_time : forall t t' r s,
    begins r -> t <= t' -> answer t r = Some s -> answer t' r = Some s;
  kept_stable : forall t e r s,
    begins r -> answer t r = Some s -> answer t (submit t e r) = Some s;
  kept_final_in_time : forall t t' r,
    begins r -> final_time < t -> t <= t' -> answer t r = None -> answer t' r = None;
  kept_final : forall t e r,
    begins r -> final_time < t -> answer t r = None -> answer t (submit t e r) = None;
  kept_fits : forall t r s, begins r -> answer t r = Some s -> fits_int112 s
}.

Lemma later_begins : forall F begins x y,
  Kept F begins -> later x y -> begins (snd x) -> begins (snd y).
Proof.
  intros F begins x y K H. induction H; intros B; simpl in *; auto. apply K; auto.
Qed.

Theorem once_done_never_changes : forall F begins x y s, Kept F begins -> later x y ->
  begins (snd x) -> answer (fst x) (snd x) = Some s -> answer (fst y) (snd y) = Some s.
Proof.
  intros F begins x y s K H B A. induction H as [x|x t t' r H IH T|x t r e H IH]; simpl in *.
  - exact A.
  - eapply (kept_stable_in_time _ _ K); [| exact T | apply IH; assumption ].
    exact (later_begins _ _ _ _ K H B).
  - apply (kept_stable _ _ K); [| apply IH; assumption ]. exact (later_begins _ _ _ _ K H B).
Qed.

Theorem what_is_late_never_counts : forall F begins x y, Kept F begins -> later x y ->
  begins (snd x) -> F < fst x -> answer (fst x) (snd x) = None -> answer (fst y) (snd y) = None.
Proof.
  intros F begins x y K H B L A.
  induction H as [x|x t t' r H IH T|x t r e H IH]; simpl in *.
  - exact A.
  - pose proof (later_time _ _ H). simpl in *.
    eapply (kept_final_in_time _ _ K); [| | exact T | apply IH; assumption ]; [| lia ].
    exact (later_begins _ _ _ _ K H B).
  - pose proof (later_time _ _ H). simpl in *.
    apply (kept_final _ _ K); [| lia | apply IH; assumption ].
    exact (later_begins _ _ _ _ K H B).
Qed.

(** ** P4. Hub neutrality *)

(** What the instance's Alice loses to its Bob by a resolved nano, whichever way round the channel
    holds them. *)
Definition instance_shift (r : Resolved) : Z := if swapped (nano r) then - shift r else shift r.
Definition lock_of_alice (n : Nano) : Z := if swapped n then bob_lock n else alice_lock n.
Definition lock_of_bob (n : Nano) : Z := if swapped n then alice_lock n else bob_lock n.

(** The chain asks the instance and gets what it answers. *)
Definition asked (o : Strangers) (n : Nano) (t : Z) (r : Record_) : Prop := outcome o n = answer t r.

Lemma resolved_shift : forall o n t r x,
  asked o n t r -> (forall s, answer t r = Some s -> fits_int112 s) -> resolve t o n = Some x ->
  nano x = n /\
  match answer t r with
  | Some s => shift x = clamp n s
  | None => expiry n < t /\ shift x = 0
  end.
Proof.
  intros o n t r x A F R. unfold resolve in R. rewrite A in R.
  destruct (answer t r) as [s|].
  - destruct (F s eq_refl) as [L H]. apply Z.leb_le in L. apply Z.ltb_lt in H.
    rewrite L, H in R. cbn [andb] in R. injection R as <-. split; reflexivity.
  - destruct (expiry n <? t) eqn:E; [| discriminate ]. apply Z.ltb_lt in E.
    injection R as <-. split; [ reflexivity | split; [ exact E | reflexivity ] ].
Qed.

Lemma clamp_opposite : forall n m s,
  0 <= alice_lock n -> 0 <= bob_lock n -> 0 <= alice_lock m -> 0 <= bob_lock m ->
  lock_of_alice n = lock_of_alice m -> lock_of_bob n = lock_of_bob m ->
  (if swapped n then - clamp n s else clamp n s) = (if swapped m then - clamp m s else clamp m s).
Proof.
  intros n m s A B C D La Lb. unfold lock_of_alice, lock_of_bob, clamp in *.
  destruct (swapped n), (swapped m); lia.
Qed.

(** One instance, listed in two channels with the same locks (exchanged where the channel holds its
    ends the other way round), its [expiry] its final time.  Whenever each channel is settled, by
    whomever, whatever happens to the instance in between: what its Alice loses to its Bob is the
    same in both.  A hub that is its Bob in one channel and its Alice in the other gains in the one
    what it loses in the other. *)
(* Bytecode: check_hub_is_neutral. *)
Theorem hub_neutrality : forall F begins o1 o2 n1 n2 t1 r1 t2 r2 x1 x2,
  Kept F begins -> begins r1 -> later (t1, r1) (t2, r2) ->
  expiry n1 = F -> expiry n2 = F ->
  0 <= alice_lock n1 -> 0 <= bob_lock n1 -> 0 <= alice_lock n2 -> 0 <= bob_lock n2 ->
  lock_of_alice n1 = lock_of_alice n2 -> lock_of_bob n1 = lock_of_bob n2 ->
  asked o1 n1 t1 r1 -> asked o2 n2 t2 r2 ->
  resolve t1 o1 n1 = Some x1 -> resolve t2 o2 n2 = Some x2 ->
  instance_shift x1 = instance_shift x2.
Proof.
  intros F begins o1 o2 n1 n2 t1 r1 t2 r2 x1 x2 K B L E1 E2 A1 B1 A2 B2 La Lb Q1 Q2 R1 R2.
  assert (B' : begins r2) by exact (later_begins F begins _ _ K L B).
  destruct (resolved_shift _ _ _ _ _ Q1 (fun s => kept_fits _ _ K t1 r1 s B) R1) as [N1 S1].
  destruct (resolved_shift _ _ _ _ _ Q2 (fun s => kept_fits _ _ K t2 r2 s B') R2) as [N2 S2].
  unfold instance_shift. rewrite N1, N2.
  destruct (answer t1 r1) as [s|] eqn:An.
  - pose proof (once_done_never_changes F begins (t1, r1) (t2, r2) s K L B An) as An2.
    simpl in An2. rewrite An2 in S2. rewrite S1, S2. apply clamp_opposite; assumption.
  - destruct S1 as [Over S1]. rewrite E1 in Over.
    pose proof (what_is_late_never_counts F begins (t1, r1) (t2, r2) K L B Over An) as An2.
    simpl in An2. rewrite An2 in S2. destruct S2 as [_ S2]. rewrite S1, S2.
    destruct (swapped n1), (swapped n2); lia.
Qed.

End Rules.

(** Taking apart what was compared. *)
Ltac cases := repeat match goal with
  | |- context [if ?c then _ else _] => let E := fresh "E" in destruct c eqn:E
  | H : context [if ?c then _ else _] |- _ => let E := fresh "E" in destruct c eqn:E
  end.
Ltac numbers := repeat match goal with
  | H : (_ && _)%bool = true |- _ => apply andb_prop in H; destruct H
  | H : (_ || _)%bool = false |- _ => apply orb_false_iff in H; destruct H
  | H : (_ <=? _) = true |- _ => apply Z.leb_le in H
  | H : (_ <=? _) = false |- _ => apply Z.leb_gt in H
  | H : (_ <? _) = true |- _ => apply Z.ltb_lt in H
  | H : (_ <? _) = false |- _ => apply Z.ltb_ge in H
  end.
