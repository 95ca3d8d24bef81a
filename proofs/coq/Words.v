(** Whose word a call gives: the contract takes a caller's transaction for his signature, and this
    is all that it ever takes for one. *)

From Perun Require Export Theorems.

Definition words (call : Call) : option (Channel * Signature * Signature) :=
  match call with
  | call_close c _ _ _ a b | call_withdraw c _ _ _ _ a b | call_register c _ _ _ a b _ =>
      Some (c, a, b)
  | _ => None
  end.

Definition about (m : Message) : ChannelId :=
  match m with
  | State i _ _ _ | Close i _ _ _ | Withdraw i _ _ _ _ | Open i _ _ _ => i
  end.

Section Words.
Variable self : Address.

Lemma both_agree_words : forall w c caller m sa sb w',
  both_agree w c caller m sa sb = Done w' ->
  w' = with_sent w (caller, m) /\ agrees caller (alice c) (alice_key c) m sa = true
  /\ agrees caller (bob c) (bob_key c) m sb = true.
Proof. intros w c caller m sa sb w' H. unfold both_agree in H. taken H. subst. auto. Qed.

Lemma settle_sent : forall w o c net nanos w', settle w o c net nanos = Done w' ->
  sent w' = sent w.
Proof.
  intros w o c net nanos w' H. unfold settle in H. taken H; subst; try reflexivity;
    rewrite pay_out_sent; reflexivity.
Qed.

Lemma pull_sent : forall w o value a n w' m, pull w o value a n = Done (w', m) ->
  sent w' = sent w.
Proof. intros w o value a n w' m H. unfold pull in H. taken H; subst; reflexivity. Qed.

Lemma raise_sent : forall w k x y d w', raise_sides w k x y d = Done w' -> sent w' = sent w.
Proof. intros w k x y d w' H. unfold raise_sides in H. taken H; subst; reflexivity. Qed.

Lemma deposit_sent : forall w o value k tb n w', deposit_into w o value k tb n = Done w' ->
  sent w' = sent w.
Proof.
  intros w o value k tb n w' H. unfold deposit_into in H.
  destruct (pull w o value (fst k) n) as [[w1 m]|] eqn:E; [| discriminate ]. cbn [bind] in H.
  destruct (disputes w1 k); [ discriminate |].
  apply raise_sent in H. apply pull_sent in E. congruence.
Qed.

Theorem run_words : forall w o caller value call w', run self w o caller value call = Done w' ->
  forall a m, In (a, m) (sent w') -> In (a, m) (sent w) \/
  exists c sa sb, words call = Some (c, sa, sb) /\ a = caller /\ about m = id_of c
    /\ agrees caller (alice c) (alice_key c) m sa = true
    /\ agrees caller (bob c) (bob_key c) m sb = true.
Proof.
  intros w o caller value call w' H a m I. unfold run in H.
  destruct (fits call); [| discriminate ].
  destruct call; try (destruct (value =? 0); [| discriminate ]).
  - left. unfold open in H. taken H. apply deposit_sent in H. congruence.
  - left. unfold open_both in H.
    destruct (by_party c caller); [| discriminate ].
    destruct (now w <=? valid_until); [| discriminate ].
    destruct (valid_until <=? now w + challenge c); [| discriminate ].
    destruct (signed _ _ _); [| discriminate ].
    match type of H with context [pull ?w ?o ?v ?a ?n] =>
      destruct (pull w o v a n) as [[w1 m1]|] eqn:E; [| discriminate ] end. cbn [bind] in H.
    destruct (_ <=? m1); [| discriminate ].
    destruct (disputes w1 (key c)); [ discriminate |].
    destruct (negb _); [| discriminate ]. unfold debit in H.
    destruct (_ <=? credits w1 _); [| discriminate ]. cbn [bind] in H.
    apply raise_sent in H. apply pull_sent in E. simpl in H. congruence.
  - left. unfold deposit in H. taken H. apply deposit_sent in H. congruence.
  - unfold close in H.
    destruct (negb _); [| discriminate ]. destruct (now w <=? valid_until); [| discriminate ].
    destruct (before_deadline _ _); [| discriminate ].
    destruct (both_agree _ _ _ _ _ _) as [w1|] eqn:E; [| discriminate ]. cbn [bind] in H.
    destruct (both_agree_words _ _ _ _ _ _ _ E) as (-> & A & B).
    destruct (solvent _ _ _); [| discriminate ]. injection H as <-.
    rewrite pay_out_sent in I. simpl in I. destruct I as [I|I]; [| left; exact I ].
    injection I as <- <-. right. exists c, by_alice, by_bob. auto.
  - unfold withdraw in H.
    destruct (disputes w (key c)); [ discriminate |].
    destruct (now w <=? valid_until); [| discriminate ]. destruct (_ && _) in H; [| discriminate ].
    destruct (both_agree _ _ _ _ _ _) as [w1|] eqn:E; [| discriminate ]. cbn [bind] in H.
    destruct (both_agree_words _ _ _ _ _ _ _ E) as (-> & A & B).
    destruct (0 <=? _) in H; [| discriminate ]. injection H as <-.
    rewrite !pay_sent in I. simpl in I. destruct I as [I|I]; [| left; exact I ].
    injection I as <- <-. right. exists c, by_alice, by_bob. auto.
  - unfold register in H.
    match type of H with bind ?r _ = _ => destruct r as [until|]; [| discriminate ] end.
    cbn [bind] in H.
    assert (X : forall w2, check_state w c caller v net nanos by_alice by_bob = Done w2 ->
      w2 = w \/ (w2 = with_sent w (caller, State (id_of c) v net nanos)
        /\ agrees caller (alice c) (alice_key c) (State (id_of c) v net nanos) by_alice = true
        /\ agrees caller (bob c) (bob_key c) (State (id_of c) v net nanos) by_bob = true)).
    { intros w2 C. unfold check_state in C.
      match type of C with bind ?r _ = _ => destruct r as [w1|] eqn:E; [| discriminate ] end.
      cbn [bind] in C. taken C. subst w2. destruct (v =? 0).
      - taken E. subst. left. reflexivity.
      - right. apply both_agree_words. exact E. }
    assert (Y : forall w2, check_state w c caller v net nanos by_alice by_bob = Done w2 ->
      In (a, m) (sent w2) -> In (a, m) (sent w) \/ exists c0 sa sb,
        words (call_register c v net nanos by_alice by_bob evidence) = Some (c0, sa, sb)
        /\ a = caller /\ about m = id_of c0
        /\ agrees caller (alice c0) (alice_key c0) m sa = true
        /\ agrees caller (bob c0) (bob_key c0) m sb = true).
    { intros w2 C J. destruct (X w2 C) as [->|(-> & A & B)]; [ left; exact J |].
      simpl in J. destruct J as [J|J]; [| left; exact J ]. injection J as <- <-.
      right. exists c, by_alice, by_bob. auto. }
    destruct (disputes w (key c)).
    + destruct (v <=? version d).
      * left. taken H. subst. exact I.
      * destruct (check_state _ _ _ _ _ _ _ _) as [w2|] eqn:C; [| discriminate ].
        apply (Y w2 eq_refl). taken H. subst. exact I.
    + destruct (check_state _ _ _ _ _ _ _ _) as [w2|] eqn:C; [| discriminate ].
      apply (Y w2 eq_refl). taken H. subst. exact I.
  - left. apply settle_sent in H. congruence.
  - left. revert w H I. induction items as [|[[c net] nanos] rest IH]; intros w H I; simpl in H.
    + injection H as <-. exact I.
    + destruct (settle w o c net nanos) as [w1|why] eqn:E.
      * apply settle_sent in E. rewrite <- E. exact (IH w1 H I).
      * destruct why; try discriminate H; exact (IH w H I).
  - left. unfold fund in H. destruct (negb _); [| discriminate ].
    destruct (pull w o value a0 amount) as [[w1 n]|] eqn:E; [| discriminate ]. cbn [bind] in H.
    injection H as <-. apply pull_sent in E. simpl in I. congruence.
  - left. unfold claim, debit in H. destruct (negb _); [| discriminate ].
    destruct (amount <=? _); [| discriminate ]. cbn [bind] in H. taken H; subst; exact I.
Qed.

Lemma agrees_given : forall caller account k m s, agrees caller account k m s = true ->
  s <> Unsigned -> s = Signed k m.
Proof.
  intros caller account k m s A N. unfold agrees in A.
  destruct s as [| |k' m']; [ congruence | |]; simpl in A; unfold signed, recover in A.
  - apply andb_prop in A. destruct A as [_ A]. discriminate A.
  - destruct (Message_eq_dec m m') as [<-|_];
      [| apply andb_prop in A; destruct A as [_ A]; discriminate A ].
    apply andb_prop in A. destruct A as [A _]. apply Z.eqb_eq in A. congruence.
Qed.

End Words.
