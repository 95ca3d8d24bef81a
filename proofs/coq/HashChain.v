(** A stream of payments, one hash each (protocol, section 4). *)

From Perun Require Export Nanocontracts.

Module HashChain.
Record Stream := {
  s_lock : Z; tick : Z; bob_pays : bool; s_validity : Z; s_challenge : Z
}.
Record Paid := { total : Z; deadline : Z }.
(** [leads]: the value that was brought, hashed [ticks] times, is the root.
    [signed_by_payer]: the payer has signed this base with this root. *)
Record Ticks := { base : Z; ticks : Z; leads : bool; signed_by_payer : bool }.

Definition MOST_TICKS : Z := 1024.

(** Cut at the lock. *)
Definition shown (s : Stream) (e : Ticks) : Z := Z.min (base e + ticks e * tick s) (s_lock s).

Definition submit (s : Stream) (t : Z) (e : Ticks) (o : option Paid) : option Paid :=
  let old := match o with Some r => total r | None => 0 end in
  if MOST_TICKS <? ticks e then o
  else if shown s e <=? old then o
  else if MAX_AMOUNT <? s_lock s then o
  else if MAX_DEADLINE <? s_validity s + s_challenge s then o
  else
    let limit := match o with Some r => deadline r | None => s_validity s end in
    if limit <? t then o
    else if negb (leads e) || negb (signed_by_payer e) then o
    else Some {| total := shown s e;
                 deadline := match o with Some r => deadline r | None => t + s_challenge s end |}.

Definition outcome (s : Stream) (t : Z) (o : option Paid) : option Z :=
  match o with
  | Some r => if t <=? deadline r then None
              else Some (if bob_pays s then - total r else total r)
  | None => None
  end.

Definition final_time (s : Stream) : Z := s_validity s + s_challenge s.

Definition begins (s : Stream) (o : option Paid) : Prop :=
  match o with
  | None => True
  | Some r => deadline r <= final_time s /\ 0 < total r <= s_lock s /\ s_lock s <= MAX_AMOUNT
  end.

(** Whatever is brought: the record stays, or there was time for it, and it is higher. *)
Lemma submit_cases : forall s t e o, submit s t e o = o
  \/ submit s t e o
     = Some {| total := shown s e;
               deadline := match o with Some r => deadline r | None => t + s_challenge s end |}
     /\ t <= match o with Some r => deadline r | None => s_validity s end
     /\ match o with Some r => total r | None => 0 end < shown s e <= s_lock s
     /\ s_lock s <= MAX_AMOUNT /\ ticks e <= MOST_TICKS
     /\ leads e = true /\ signed_by_payer e = true.
Proof.
  intros s t e o. unfold submit. cases; auto; right; numbers;
    apply negb_false_iff in H, H0; repeat split; auto; try lia; unfold shown; apply Z.le_min_r.
Qed.

(** Only the payer pays, never more than its lock, and the answer fits what the chain reads. *)
Theorem an_outcome_is_within_the_lock : forall s t o p, begins s o -> outcome s t o = Some p ->
  (if bob_pays s then - s_lock s <= p < 0 else 0 < p <= s_lock s) /\ fits_int112 p.
Proof.
  intros s t o p B A. destruct o as [r|]; [| discriminate ]. destruct B as (_ & T & M).
  unfold outcome in A. destruct (t <=? deadline r); [ discriminate |]. injection A as <-.
  unfold fits_int112. change MAX_AMOUNT with (2 ^ 111 - 1) in *. destruct (bob_pays s); lia.
Qed.

Theorem kept : forall s, 0 <= s_challenge s ->
  Kept _ _ (submit s) (outcome s) (final_time s) (begins s).
Proof.
  intros s Ch. constructor.
  - intros t e o B. destruct (submit_cases s t e o) as [->|(-> & T & M & A & _)]; [ exact B |].
    destruct o as [r|]; simpl in *; unfold final_time in *; repeat split; lia.
  - intros t t' o p _ T A. destruct o as [r|]; [| discriminate ]. unfold outcome in *.
    destruct (t <=? deadline r) eqn:E; [ discriminate |]. numbers.
    rewrite (proj2 (Z.leb_gt _ _)) by lia. exact A.
  - intros t e o p _ A. destruct (submit_cases s t e o) as [->|(_ & T & _)]; [ exact A |].
    destruct o as [r|]; [| discriminate ]. unfold outcome in A.
    rewrite (proj2 (Z.leb_le _ _) T) in A. discriminate.
  - intros t t' o B L T A. destruct o as [r|]; [| reflexivity ]. exfalso.
    destruct B as (D & _). unfold outcome in A.
    destruct (t <=? deadline r) eqn:E; [ numbers; lia | discriminate ].
  - intros t e o B L A. destruct (submit_cases s t e o) as [->|(_ & T & _)]; [ exact A |].
    exfalso. unfold final_time in *. destruct o as [r|]; [ destruct B as (D & _) |];
      unfold final_time in *; lia.
  - intros t o p B A. exact (proj2 (an_outcome_is_within_the_lock s t o p B A)).
Qed.

(** What it takes is what the payer has said: [pays base value ticks] is "the payer signed this
    base with a root to which somebody holds a value so many hashes away". *)
Section Signed.
Variable s : Stream.
Variable pays : Z -> Z -> Prop.

Definition honest (e : Ticks) : Prop :=
  leads e = true -> signed_by_payer e = true -> pays (base e) (ticks e).

Definition by_word (o : option Paid) : Prop :=
  match o with
  | None => True
  | Some r => exists b n, pays b n /\ n <= MOST_TICKS /\ total r = Z.min (b + n * tick s) (s_lock s)
  end.

Theorem nothing_unsigned : forall t e o, honest e -> by_word o -> by_word (submit s t e o).
Proof.
  intros t e o H B. destruct (submit_cases s t e o) as [->|(-> & _ & _ & _ & N & L & S)].
  - exact B.
  - exists (base e), (ticks e). auto.
Qed.
End Signed.

(** The total only rises, and the deadline never moves. *)
Theorem totals_only_rise : forall s t e r, exists r', submit s t e (Some r) = Some r'
  /\ total r <= total r' /\ deadline r' = deadline r.
Proof.
  intros s t e r. destruct (submit_cases s t e (Some r)) as [->|(-> & _ & M & _)];
    eexists; (split; [ reflexivity |]); simpl; lia.
Qed.

(** What a payee can show it gets: shown in time, it is the least that is paid, whatever anybody
    brings afterwards; and it is paid from the second after the deadline. *)
Theorem what_is_shown_is_paid : forall s t e o t' o' ,
  t <= match o with Some r => deadline r | None => s_validity s end ->
  s_lock s <= MAX_AMOUNT -> final_time s <= MAX_DEADLINE -> ticks e <= MOST_TICKS ->
  leads e = true -> signed_by_payer e = true -> 0 < shown s e ->
  later _ _ (submit s) (t, submit s t e o) (t', o') ->
  exists r, o' = Some r /\ shown s e <= total r
  /\ (deadline r < t' -> outcome s t' o' = Some (if bob_pays s then - total r else total r)).
Proof.
  intros s t e o t' o' T A F N L S P H.
  assert (E : exists r, submit s t e o = Some r /\ shown s e <= total r).
  { unfold submit. unfold final_time in F.
    rewrite (proj2 (Z.ltb_ge _ _) N), (proj2 (Z.ltb_ge _ _) A), (proj2 (Z.ltb_ge _ _) F),
      (proj2 (Z.ltb_ge _ _) T), L, S. cbn [negb orb].
    destruct (shown s e <=? _) eqn:E.
    - numbers. destruct o as [r|]; [ exists r; auto | lia ].
    - eexists. split; [ reflexivity |]. simpl. lia. }
  assert (K : exists r, o' = Some r /\ shown s e <= total r).
  { remember (t, submit s t e o) as x. remember (t', o') as y.
    revert t' o' Heqy. induction H as [x|x u u' r H IH U|x u r i H IH]; intros; subst.
    - injection Heqy as <- <-. exact E.
    - injection Heqy as <- <-. eapply IH; reflexivity.
    - injection Heqy as <- <-. destruct (IH eq_refl u r eq_refl) as (p & -> & Q).
      destruct (totals_only_rise s u i p) as (q & -> & R & _). exists q. split; [ reflexivity | lia ]. }
  destruct K as (r & -> & Q). exists r. split; [ reflexivity | split; [ exact Q |] ].
  intros D. simpl. rewrite (proj2 (Z.leb_gt _ _) D). reflexivity.
Qed.
End HashChain.
