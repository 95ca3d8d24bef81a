(** Money for a secret (protocol, section 4). *)

From Perun Require Export Nanocontracts.

Module HashTimeLock.
Record Lock := { of_amount : Z; bob_pays : bool; last : Z }.

(** [right]: what was brought is the preimage. *)
Definition submit (l : Lock) (t : Z) (right : bool) (o : option Z) : option Z :=
  match o with
  | Some s => Some s
  | None =>
      if MAX_AMOUNT <? of_amount l then None
      else if last l <? t then None
      else if right then Some (if bob_pays l then - of_amount l else of_amount l) else None
  end.
Definition outcome (_ : Z) (o : option Z) : option Z := o.

Definition begins (l : Lock) (o : option Z) : Prop :=
  o = None \/ (of_amount l <= MAX_AMOUNT
              /\ o = Some (if bob_pays l then - of_amount l else of_amount l)).

Lemma answers_fit : forall l t o s, 0 <= of_amount l -> begins l o -> outcome t o = Some s ->
  fits_int112 s.
Proof.
  intros l t o s N [->|[M ->]] A; [ discriminate |]. injection A as <-.
  unfold fits_int112. change MAX_AMOUNT with (2 ^ 111 - 1) in M. destruct (bob_pays l); lia.
Qed.

Theorem kept : forall l, 0 <= of_amount l ->
  Kept _ _ (submit l) outcome (last l) (begins l).
Proof.
  intros l Positive. constructor; [ unfold outcome; intros .. | intros t o s; apply answers_fit; assumption ].
  - unfold submit, begins in *. destruct r; [ assumption |].
    cases; numbers; auto; right; split; auto; lia.
  - assumption.
  - subst. reflexivity.
  - assumption.
  - subst. unfold submit. cases; numbers; auto; exfalso; lia.
Qed.

(** Without the preimage, brought in time, nothing moves. *)
Theorem nothing_without_the_preimage : forall l t o, begins l o -> o = None ->
  submit l t false o = None.
Proof. intros l t o _ ->. unfold submit. cases; reflexivity. Qed.

(** With it, brought in time, all of it moves, from the side that pays, and at once. *)
Theorem the_preimage_in_time_pays : forall l t o, begins l o -> t <= last l ->
  of_amount l <= MAX_AMOUNT -> forall t',
  outcome t' (submit l t true o) = Some (if bob_pays l then - of_amount l else of_amount l).
Proof.
  intros l t o [->|[_ ->]] T M t'; [| reflexivity ]. unfold outcome, submit.
  rewrite (proj2 (Z.ltb_ge _ _) M), (proj2 (Z.ltb_ge _ _) T). reflexivity.
Qed.
End HashTimeLock.
