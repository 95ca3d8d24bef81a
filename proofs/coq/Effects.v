(** What one call can do to one channel, in full. *)

From Perun Require Export Reachable.

Section Effects.
Variable self : Address.

(** The payouts that there were of the channel whose money is found under [k], newest first. *)
Definition outs (w : World) (k : Key) : list Payout :=
  filter (fun p => if Key_eq_dec (key (of_channel p)) k then true else false) (payouts w).

(** What a call that is done may have done to the channel whose money is found under [k]. *)
Inductive Effect (w w' : World) (g : Given) (k : Key) : Prop :=
  | untouched :
      outs w' k = outs w k ->
      funds w' k = funds w k -> disputes w' k = disputes w k -> Effect w w' g k
  | raised :
      outs w' k = outs w k ->
      disputes w k = None -> disputes w' k = None ->
      of_alice (funds w k) <= of_alice (funds w' k) ->
      of_bob (funds w k) <= of_bob (funds w' k) ->
      withdrawals (funds w' k) = withdrawals (funds w k) -> Effect w w' g k
  | withdrawn : forall c index x y until,
      outs w' k = outs w k ->
      k = key c -> now w <= until -> withdrawals (funds w' k) = index + 1 ->
      disputes w k = None -> disputes w' k = None ->
      both_said w' g c (Withdraw (id_of c) index x y until) ->
      index = withdrawals (funds w k) ->
      of_alice (funds w' k) = of_alice (funds w k) - x ->
      of_bob (funds w' k) = of_bob (funds w k) - y -> Effect w w' g k
  | registered : forall c d',
      outs w' k = outs w k ->
      k = key c -> funds w' k = funds w k -> disputes w' k = Some d' -> settling d' = false ->
      agreed w' g c (version d') (registered_net d') (registered_nanos d') ->
      match disputes w k with
      | Some d => now w <= deadline d /\ deadline d' = deadline d /\ version d < version d'
      | None => deadline d' = now w + challenge c
      end -> Effect w w' g k
  | closed : forall p,
      k = key (of_channel p) -> payouts w' = p :: payouts w -> payout_version p = None ->
      resolved p = [] /\ remaining p = [] ->
      before p = funds w k -> funds w' k = nothing -> disputes w' k = None ->
      match disputes w k with Some d => now w <= deadline d | None => True end ->
      (exists until to_credit, now w <= until /\ both_said w' g (of_channel p)
         (Close (id_of (of_channel p)) (payout_net p) until to_credit)) -> Effect w w' g k
  | settled : forall p d,
      k = key (of_channel p) -> payouts w' = p :: payouts w ->
      disputes w k = Some d -> deadline d < now w ->
      payout_version p = Some (version d) -> before p = funds w k ->
      payout_net p = registered_net d -> was_settling p = settling d ->
      (exists o, answers (now w) o (registered_nanos d) = (resolved p, remaining p)) ->
      (disputes w' k = None /\ funds w' k = nothing \/
       exists d', disputes w' k = Some d' /\ settling d' = true
                  /\ version d' = version d /\ deadline d' = deadline d
                  /\ incl (registered_nanos d') (registered_nanos d)) -> Effect w w' g k.

Lemma outs_same : forall w w' k, payouts w' = payouts w -> outs w' k = outs w k.
Proof. intros w w' k H. unfold outs. rewrite H. reflexivity. Qed.

Lemma outs_other : forall w w' k p, payouts w' = p :: payouts w -> key (of_channel p) <> k ->
  outs w' k = outs w k.
Proof.
  intros w w' k p H N. unfold outs. rewrite H. simpl.
  destruct (Key_eq_dec (key (of_channel p)) k); [ contradiction | reflexivity ].
Qed.

Lemma outs_more : forall w w' k p, payouts w' = p :: payouts w -> k = key (of_channel p) ->
  outs w' k = p :: outs w k.
Proof.
  intros w w' k p H K. unfold outs. rewrite H, K. simpl.
  destruct (Key_eq_dec (key (of_channel p)) (key (of_channel p))); [ reflexivity | contradiction ].
Qed.

Lemma pay_funds : forall w o k to n cr k', funds (pay w o k to n cr) k' = funds w k'.
Proof. intros. destruct (pay_keeps w o k to n cr) as (_ & F & _). rewrite F. reflexivity. Qed.
Lemma pay_disputes : forall w o k to n cr k', disputes (pay w o k to n cr) k' = disputes w k'.
Proof. intros. destruct (pay_keeps w o k to n cr) as (_ & _ & D & _). rewrite D. reflexivity. Qed.
Lemma pay_now : forall w o k to n cr, now (pay w o k to n cr) = now w.
Proof. intros. destruct (pay_keeps w o k to n cr) as (N & _). exact N. Qed.
Lemma pay_payouts : forall w o k to n cr, payouts (pay w o k to n cr) = payouts w.
Proof. intros. destruct (pay_keeps w o k to n cr) as (_ & _ & _ & _ & P & _). exact P. Qed.
Lemma pay_sent : forall w o k to n cr, sent (pay w o k to n cr) = sent w.
Proof. intros. destruct (pay_keeps w o k to n cr) as (_ & _ & _ & _ & _ & S). exact S. Qed.

Lemma pay_out_funds : forall w o p tc k, funds (pay_out w o p tc) k = funds w k.
Proof. intros. unfold pay_out. rewrite !pay_funds. reflexivity. Qed.
Lemma pay_out_disputes : forall w o p tc k, disputes (pay_out w o p tc) k = disputes w k.
Proof. intros. unfold pay_out. rewrite !pay_disputes. reflexivity. Qed.
Lemma pay_out_now : forall w o p tc, now (pay_out w o p tc) = now w.
Proof. intros. unfold pay_out. rewrite !pay_now. reflexivity. Qed.
Lemma pay_out_payouts : forall w o p tc, payouts (pay_out w o p tc) = p :: payouts w.
Proof. intros. unfold pay_out. rewrite !pay_payouts. reflexivity. Qed.
Lemma pay_out_sent : forall w o p tc, sent (pay_out w o p tc) = sent w.
Proof. intros. unfold pay_out. rewrite !pay_sent. reflexivity. Qed.

Lemma pull_keeps : forall w o value a amount w' n, 0 <= amount ->
  pull w o value a amount = Done (w', n) ->
  0 <= n /\ funds w' = funds w /\ disputes w' = disputes w /\ now w' = now w
  /\ payouts w' = payouts w /\ credits w' = credits w /\ sent w' = sent w.
Proof.
  intros w o value a amount w' n Ha H. unfold pull in H. taken H; subst; numbers;
    repeat split; assumption || lia.
Qed.

Lemma raise_effect : forall w k ta tb draws w', 0 <= ta -> 0 <= tb ->
  raise_sides w k ta tb draws = Done w' ->
  now w' = now w /\ sent w' = sent w /\ disputes w' = disputes w
  /\ payouts w' = payouts w /\ withdrawals (funds w' k) = withdrawals (funds w k)
  /\ (forall k', k' <> k -> funds w' k' = funds w k')
  /\ of_alice (funds w' k) = of_alice (funds w k) + ta
  /\ of_bob (funds w' k) = of_bob (funds w k) + tb.
Proof.
  intros w k ta tb draws w' Ha Hb H. unfold raise_sides in H. taken H; subst. simpl.
  repeat split; try (rewrite update_same; reflexivity).
  intros k' Hk. apply update_other. congruence.
Qed.

Definition effects (w w' : World) (g : Given) : Prop := forall k, Effect w w' g k.

Lemma deposit_into_effects : forall w g o value k to_bob amount w', 0 <= amount ->
  deposit_into w o value k to_bob amount = Done w' ->
  (now w' = now w /\ incl (sent w) (sent w')) /\ effects w w' g
  /\ (forall k', k' <> k -> funds w' k' = funds w k' /\ disputes w' k' = disputes w k').
Proof.
  intros w g o value k to_bob amount w' Ha H. unfold deposit_into in H.
  destruct (pull w o value (fst k) amount) as [[w1 n]|] eqn:E; [| discriminate ]. cbn [bind] in H.
  destruct (disputes w1 k) eqn:D; [ discriminate |].
  destruct (pull_keeps _ _ _ _ _ _ _ Ha E) as (Hn & F & Di & N & Po & _ & P).
  destruct (raise_effect w1 k (if to_bob then 0 else n) (if to_bob then n else 0) false w')
    as (N' & P' & Di' & Po' & Wi & O & A & B);
    [ destruct to_bob; lia | destruct to_bob; lia | exact H |].
  split; [ split; [ congruence | rewrite P', P; apply incl_refl ] |]. split.
  - intros k'. destruct (Key_eq_dec k k') as [<-|Hne].
    + apply raised; try (apply outs_same); try congruence; rewrite ?A, ?B, ?F; destruct to_bob; lia.
    + apply untouched;
        [ apply outs_same; congruence | rewrite O by congruence; rewrite F; reflexivity | congruence ].
  - intros k' Hne. rewrite (O k' Hne), F, Di', Di. split; reflexivity.
Qed.

Lemma open_both_effects : forall w g o caller value c x y until s w', 0 <= x -> 0 <= y ->
  open_both w o caller value c x y until s = Done w' ->
  (now w' = now w /\ incl (sent w) (sent w')) /\ effects w w' g
  /\ (forall k', k' <> key c -> funds w' k' = funds w k' /\ disputes w' k' = disputes w k').
Proof.
  intros w g o caller value c x y until s w' Hx Hy H. unfold open_both in H.
  set (by_alice := caller =? alice c) in *.
  assert (Hs : 0 <= if by_alice then x else y) by (destruct by_alice; assumption).
  assert (Hd : 0 <= if by_alice then y else x) by (destruct by_alice; assumption).
  set (share := if by_alice then x else y) in *. set (draws := if by_alice then y else x) in *.
  set (on := if by_alice then bob c else alice c) in *. clearbody share draws on.
  destruct (by_party c caller); [| discriminate ].
  destruct (now w <=? until); [| discriminate ].
  destruct (until <=? now w + challenge c); [| discriminate ].
  destruct (signed _ _ _); [| discriminate ].
  destruct (pull w o value (asset c) share) as [[w1 n]|] eqn:E; [| discriminate ]. cbn [bind] in H.
  destruct (share <=? n); [| discriminate ].
  destruct (disputes w1 (key c)) eqn:D; [ discriminate |].
  destruct (negb _); [| discriminate ].
  destruct (debit w1 (asset c) on draws) as [w2|] eqn:E2; [| discriminate ]. cbn [bind] in H.
  destruct (pull_keeps _ _ _ _ _ _ _ Hs E) as (Hn & F & Di & N & Po & _ & P).
  unfold debit in E2. taken E2; subst w2.
  destruct (raise_effect (with_credit w1 (asset c, on) (credits w1 (asset c, on) - draws)) (key c)
    (if by_alice then n else draws) (if by_alice then draws else n) true w')
    as (N' & P' & Di' & Po' & Wi & O & A & B);
    [ destruct by_alice; lia | destruct by_alice; lia | exact H |]. simpl in *.
  split; [ split; [ congruence | rewrite P', P; apply incl_refl ] |]. split.
  - intros k'. destruct (Key_eq_dec (key c) k') as [<-|Hne].
    + apply raised; try (apply outs_same; simpl in *); try congruence;
        rewrite ?A, ?B, ?F; destruct by_alice; lia.
    + apply untouched;
        [ apply outs_same; simpl in *; congruence
        | rewrite O by congruence; rewrite F; reflexivity | congruence ].
  - intros k' Hne. rewrite (O k' Hne), F, Di', Di. split; reflexivity.
Qed.

Lemma close_effects : forall w g o caller c net until tc sa sb w', has g sa -> has g sb ->
  close w o caller c net until tc sa sb = Done w' ->
  (now w' = now w /\ incl (sent w) (sent w')) /\ effects w w' g
  /\ (forall k', k' <> key c -> funds w' k' = funds w k' /\ disputes w' k' = disputes w k').
Proof.
  intros w g o caller c net until tc sa sb w' Ha Hb H. unfold close in H.
  destruct (negb _); [| discriminate ].
  destruct (now w <=? until) eqn:U; [| discriminate ]. apply Z.leb_le in U.
  destruct (before_deadline w (key c)) eqn:B; [| discriminate ].
  destruct (both_agree _ _ _ _ _ _) as [w1|] eqn:E; [| discriminate ]. cbn [bind] in H.
  destruct (both_agree_said _ _ _ _ _ _ _ _ Ha Hb E) as [-> Said].
  destruct (solvent _ net []); [| discriminate ]. injection H as <-.
  split; [ split; [ rewrite pay_out_now; reflexivity
    | rewrite pay_out_sent; intros x Hx; right; exact Hx ] |].
  assert (O : forall k', k' <> key c ->
    funds (with_dispute (with_funds (with_sent w (caller, Close (id_of c) net until tc))
      (key c) nothing) (key c) None) k' = funds w k'
    /\ disputes (with_dispute (with_funds (with_sent w (caller, Close (id_of c) net until tc))
      (key c) nothing) (key c) None) k' = disputes w k').
  { intros k' Hne. simpl. rewrite !update_other by congruence. split; reflexivity. }
  split.
  - intros k'. destruct (Key_eq_dec (key c) k') as [<-|Hne].
    + eapply closed.
      2: { rewrite pay_out_payouts. reflexivity. }
      8: { exists until, tc. split; [ exact U |]. eapply both_said_more; [| exact Said ].
           rewrite pay_out_sent. apply incl_refl. }
      7: { unfold before_deadline in B. destruct (disputes w (key c)); numbers; auto. }
      all: rewrite ?pay_out_funds, ?pay_out_disputes; simpl; rewrite ?update_same;
        try split; reflexivity.
    + apply untouched;
        [ eapply outs_other; [ rewrite pay_out_payouts; reflexivity | exact Hne ] | |];
        rewrite ?pay_out_funds, ?pay_out_disputes; apply O; congruence.
  - intros k' Hne. rewrite pay_out_funds, pay_out_disputes. apply O. exact Hne.
Qed.

Lemma withdraw_effects : forall w g o caller c index x y until sa sb w', has g sa -> has g sb ->
  withdraw w o caller c index x y until sa sb = Done w' ->
  (now w' = now w /\ incl (sent w) (sent w')) /\ effects w w' g
  /\ (forall k', k' <> key c -> funds w' k' = funds w k' /\ disputes w' k' = disputes w k').
Proof.
  intros w g o caller c index x y until sa sb w' Ha Hb H. unfold withdraw in H.
  destruct (disputes w (key c)) eqn:D; [ discriminate |].
  destruct (now w <=? until) eqn:U; [| discriminate ].
  destruct ((index =? _) && _) eqn:I; [| discriminate ].
  destruct (both_agree _ _ _ _ _ _) as [w1|] eqn:E; [| discriminate ]. cbn [bind] in H.
  destruct (both_agree_said _ _ _ _ _ _ _ _ Ha Hb E) as [-> Said].
  destruct (0 <=? _); [| discriminate ]. injection H as <-. numbers.
  split; [ split; [ rewrite !pay_now; reflexivity
    | rewrite !pay_sent; intros x' Hx; right; exact Hx ] |].
  split.
  - intros k'. destruct (Key_eq_dec (key c) k') as [<-|Hne].
    + apply (withdrawn _ _ _ _ c index x y until);
        try (apply outs_same; rewrite !pay_payouts; reflexivity); rewrite ?pay_funds, ?pay_disputes; simpl; rewrite ?update_same; try reflexivity;
        try assumption.
      eapply both_said_more; [| exact Said ]. rewrite !pay_sent. apply incl_refl.
    + apply untouched; [ apply outs_same; rewrite !pay_payouts; reflexivity | |];
        rewrite ?pay_funds, ?pay_disputes; simpl;
        rewrite ?update_other by congruence; reflexivity.
  - intros k' Hne. rewrite !pay_funds, !pay_disputes. simpl.
    rewrite ?update_other by congruence. split; reflexivity.
Qed.

Lemma register_effects : forall w g caller c v net nanos sa sb evidence w',
  has g sa -> has g sb -> register w caller c v net nanos sa sb evidence = Done w' ->
  (now w' = now w /\ incl (sent w) (sent w')) /\ effects w w' g
  /\ (forall k', k' <> key c -> funds w' k' = funds w k' /\ disputes w' k' = disputes w k').
Proof.
  intros w g caller c v net nanos sa sb evidence w' Ha Hb H. unfold register in H.
  match type of H with bind ?r _ = _ => destruct r as [until|] eqn:U; [| discriminate ] end.
  cbn [bind] in H.
  match type of H with bind ?r _ = _ => destruct r as [w1|] eqn:E; [| discriminate ] end.
  cbn [bind] in H. destruct (evidence <=? length nanos)%nat; [| discriminate ]. injection H as <-.
  assert (X : forall w2, check_state w c caller v net nanos sa sb = Done w2 ->
    match disputes w (key c) with
    | Some d => now w <= deadline d /\ until = deadline d /\ version d < v
    | None => until = now w + challenge c
    end ->
    let w3 := with_dispute w2 (key c) (Some {| version := v; deadline := until;
      registered_net := net; registered_nanos := nanos; settling := false |}) in
    (now w3 = now w /\ incl (sent w) (sent w3)) /\ effects w w3 g
    /\ (forall k', k' <> key c -> funds w3 k' = funds w k' /\ disputes w3 k' = disputes w k')).
  { intros w2 C M w3. destruct (check_state_sound _ _ _ _ _ _ _ _ _ _ Ha Hb C) as (W & A & _).
    assert (Eq : now w2 = now w /\ incl (sent w) (sent w2) /\ funds w2 = funds w
                 /\ disputes w2 = disputes w /\ payouts w2 = payouts w)
      by (destruct W as [->|[x ->]]; repeat split;
          [ apply incl_refl | intros y Hy; right; exact Hy ]).
    destruct Eq as (N & P & F & D & Po). unfold w3. split; [ split; [ exact N | exact P ] |]. split.
    - intros k'. destruct (Key_eq_dec (key c) k') as [<-|Hne].
      + eapply (registered _ _ _ _ c); [ apply outs_same; exact Po | ..];
          simpl; rewrite ?update_same; try reflexivity.
        * rewrite F. reflexivity.
        * eapply agreed_more; [ apply incl_refl | exact A ].
        * exact M.
      + apply untouched; simpl; [ apply outs_same; exact Po | rewrite F; reflexivity |].
        rewrite update_other by congruence. rewrite D. reflexivity.
    - intros k' Hne. simpl. rewrite update_other by congruence. rewrite F, D.
      split; reflexivity. }
  destruct (disputes w (key c)) as [d|] eqn:D.
  - destruct (now w <=? deadline d) eqn:T; [| discriminate ]. injection U as <-. numbers.
    destruct (v <=? version d) eqn:V; numbers.
    + injection E as <-. repeat split; [ apply incl_refl |]. intros k'. apply untouched; reflexivity.
    + destruct (check_state _ _ _ _ _ _ _ _) as [w2|] eqn:C; [| discriminate ].
      cbn [bind] in E. injection E as <-. apply X; [ reflexivity |]. repeat split; assumption.
  - destruct (check_state _ _ _ _ _ _ _ _) as [w2|] eqn:C; [| discriminate ].
    cbn [bind] in E. injection E as <-. apply X; [ reflexivity |].
    unfold first_deadline in U. taken U. congruence.
Qed.

Lemma answers_incl : forall t o nanos done waiting,
  answers t o nanos = (done, waiting) -> incl waiting nanos.
Proof.
  induction nanos as [|n rest IH]; intros done waiting H; simpl in H.
  - injection H as <- <-. apply incl_refl.
  - destruct (answers t o rest) as [d w] eqn:E. destruct (resolve t o n); injection H as <- <-.
    + intros x Hx. right. eapply IH; [ reflexivity | exact Hx ].
    + intros x [<-|Hx]; [ left; reflexivity | right; eapply IH; [ reflexivity | exact Hx ] ].
Qed.

Lemma settle_effects : forall w g o c net nanos w', settle w o c net nanos = Done w' ->
  (now w' = now w /\ incl (sent w) (sent w')) /\ effects w w' g
  /\ (forall k', k' <> key c -> funds w' k' = funds w k' /\ disputes w' k' = disputes w k').
Proof.
  intros w g o c net nanos w' H. unfold settle in H.
  destruct (disputes w (key c)) as [d|] eqn:D; [| discriminate ].
  destruct (deadline d <? now w) eqn:T; [| discriminate ].
  destruct ((net =? registered_net d) && _) eqn:M; [| discriminate ]. numbers. subst net.
  destruct (list_eq_dec _ _ _) as [->|]; [| discriminate ].
  destruct (answers (now w) o (registered_nanos d)) as [done waiting] eqn:An.
  destruct (settling d && _).
  { injection H as <-. repeat split; [ apply incl_refl |]. intros k'. apply untouched; reflexivity. }
  destruct (solvent _ _ _); [| discriminate ]. injection H as <-.
  split; [ split; [ rewrite pay_out_now; destruct (length waiting =? 0)%nat; reflexivity
    | rewrite pay_out_sent; destruct (length waiting =? 0)%nat; apply incl_refl ] |].
  split.
  - intros k'. destruct (Key_eq_dec (key c) k') as [<-|Hne].
    + eapply (settled _ _ _ _ _ d).
      2: { rewrite pay_out_payouts. destruct (length waiting =? 0)%nat; reflexivity. }
      all: rewrite ?pay_out_funds, ?pay_out_disputes; try reflexivity; try assumption.
      { exists o. exact An. }
      destruct (length waiting =? 0)%nat.
      * left. simpl. rewrite !update_same. split; reflexivity.
      * right. eexists. simpl. rewrite !update_same. split; [ reflexivity |]. simpl.
        repeat split. eapply answers_incl. exact An.
    + apply untouched;
        [ eapply outs_other; [ rewrite pay_out_payouts; destruct (length waiting =? 0)%nat; reflexivity
                             | exact Hne ] | |];
        rewrite ?pay_out_funds, ?pay_out_disputes; destruct (length waiting =? 0)%nat; simpl; rewrite ?update_other by congruence;
        reflexivity.
  - intros k' Hne. rewrite pay_out_funds, pay_out_disputes.
    destruct (length waiting =? 0)%nat; simpl; rewrite ?update_other by congruence;
      split; reflexivity.
Qed.

(** Every call is a short chain of effects: one, or for [settle_many] one for each item. *)
Inductive Chain (g : Given) : World -> World -> Prop :=
  | done : forall w, Chain g w w
  | then_ : forall w w' w'', now w' = now w /\ incl (sent w) (sent w') -> effects w w' g ->
      Chain g w' w'' -> Chain g w w''.

Lemma one : forall g w w', now w' = now w /\ incl (sent w) (sent w') -> effects w w' g ->
  Chain g w w'.
Proof. intros. eapply then_; [ eassumption | eassumption | apply done ]. Qed.

Definition touches (call : Call) : list Key :=
  match call with
  | call_open c _ _ | call_open_both c _ _ _ _ | call_close c _ _ _ _ _
  | call_withdraw c _ _ _ _ _ _ | call_register c _ _ _ _ _ _ | call_settle c _ _ => [key c]
  | call_deposit a id _ _ _ => [(a, id)]
  | call_settle_many items => map (fun i => key (fst (fst i))) items
  | call_fund _ _ _ | call_claim _ _ _ => []
  end.

Theorem run_effects : forall w g o caller value call w',
  Forall (has g) (signatures_of call) -> run self w o caller value call = Done w' ->
  Chain g w w'
  /\ (forall k, ~ In k (touches call) -> funds w' k = funds w k /\ disputes w' k = disputes w k).
Proof.
  intros w g o caller value call w' Hs H. unfold run in H.
  destruct (fits call) eqn:F; [| discriminate ].
  assert (L : forall w1 w2 k0, now w2 = now w1 /\ incl (sent w1) (sent w2) -> effects w1 w2 g ->
    (forall k', k' <> k0 -> funds w2 k' = funds w1 k' /\ disputes w2 k' = disputes w1 k') ->
    Chain g w1 w2 /\ (forall k, ~ In k [k0] ->
      funds w2 k = funds w1 k /\ disputes w2 k = disputes w1 k)).
  { intros w1 w2 k0 N E O. split; [ apply one; assumption |]. intros k Hk. apply O.
    intros ->. apply Hk. left. reflexivity. }
  destruct call; simpl in Hs, F;
    repeat match goal with X : Forall _ (_ :: _) |- _ => inversion X; clear X; subst end;
    try (destruct (value =? 0); [| discriminate ]); numbers;
    repeat match goal with X : uint _ _ = true |- _ => apply uint_nonneg in X end.
  - unfold open in H. taken H.
    destruct (deposit_into_effects w g o value (key c) (negb (caller =? alice c)) amount w')
      as (N & X & O); try assumption. apply L; assumption.
  - destruct (open_both_effects w g o caller value c alice_amount bob_amount valid_until s w')
      as (N & E & O); try assumption. apply L; assumption.
  - unfold deposit in H. taken H.
    destruct (deposit_into_effects w g o value (a, id) to_bob amount w')
      as (N & X & O); try assumption. apply L; assumption.
  - destruct (close_effects w g o caller c net valid_until to_credit by_alice by_bob w')
      as (N & E & O); try assumption. apply L; assumption.
  - destruct (withdraw_effects w g o caller c index alice_amount bob_amount valid_until
      by_alice by_bob w') as (N & E & O); try assumption. apply L; assumption.
  - destruct (register_effects w g caller c v net nanos by_alice by_bob evidence w')
      as (N & E & O); try assumption. apply L; assumption.
  - destruct (settle_effects w g o c net nanos w' H) as (N & E & O). apply L; assumption.
  - clear F Hs. revert w H. induction items as [|[[c net] nanos] rest IH]; intros w H; simpl in H.
    + injection H as <-. split; [ apply done | intros; split; reflexivity ].
    + destruct (settle w o c net nanos) as [w1|why] eqn:E.
      * destruct (settle_effects w g o c net nanos w1 E) as (N & Ef & O).
        destruct (IH w1 H) as (C & O').
        split; [ eapply then_; eassumption |]. intros k Hk. simpl in Hk.
        destruct (O' k) as [F1 D1]; [ tauto |]. destruct (O k) as [F2 D2]; [ intros ->; tauto |].
        split; congruence.
      * destruct (IH w) as (C & O'); [ destruct why; try discriminate H; exact H |].
        split; [ exact C |]. intros k Hk. apply O'. simpl in Hk. tauto.
  - unfold fund in H. destruct (negb _); [| discriminate ].
    destruct (pull w o value a amount) as [[w1 n]|] eqn:E; [| discriminate ]. cbn [bind] in H.
    injection H as <-. destruct (pull_keeps w o value a amount w1 n)
      as (_ & Fu & Di & N & Po & _ & Se); try assumption.
    split; [ apply one; [ split; [ exact N | simpl; rewrite Se; apply incl_refl ] |] | intros k _; simpl; rewrite Fu, Di; split; reflexivity ].
    intros k. apply untouched; [ apply outs_same |..]; simpl; congruence.
  - unfold claim in H. destruct (negb _); [| discriminate ].
    unfold debit in H. destruct (amount <=? _); [| discriminate ]. cbn [bind] in H.
    taken H; subst;
      (split; [ apply one; [ split; [ reflexivity | apply incl_refl ] | intros k; apply untouched; reflexivity ]
              | intros k _; split; reflexivity ]).
Qed.

End Effects.
