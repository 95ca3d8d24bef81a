(** The books are in order after every call, so in every reachable world. *)

From Perun Require Export Sound.

Section Reachable.
Variable self : Address.

Lemma uint_nonneg : forall bits x, uint bits x = true -> 0 <= x.
Proof. unfold uint. intros. numbers. assumption. Qed.

Lemma nanos_fit : forall nanos, forallb nano_fits nanos = true -> locks_fit nanos.
Proof.
  intros nanos H n Hn. rewrite forallb_forall in H. specialize (H n Hn).
  unfold nano_fits in H. numbers. split; eapply uint_nonneg; eassumption.
Qed.

Lemma solvent_nonneg : forall f net nanos, solvent f net nanos = true ->
  0 <= free_of_alice f net nanos /\ 0 <= free_of_bob f net nanos.
Proof. unfold solvent. intros. numbers. split; assumption. Qed.

(** ** Money in *)

Lemma deposit_into_sound : forall w g o value k to_bob amount w',
  sound w g -> 0 <= amount -> deposit_into w o value k to_bob amount = Done w' -> sound w' g.
Proof.
  intros w g o value [a id] to_bob amount w' S Ha H. unfold deposit_into in H. simpl fst in H.
  destruct (pull w o value a amount) as [[w1 n]|] eqn:E; [| discriminate ]. cbn [bind] in H.
  destruct (disputes w1 (a, id)) eqn:D; [ discriminate |].
  destruct (pull_sound a 0 (a, id) 0 w g o value amount w1 n (S a (a, id)) Ha E)
    as (S1 & Hn & _).
  eapply sound_from. eapply raise_sound; try exact S1; try exact D; try exact H;
    destruct to_bob; lia.
Qed.

Lemma open_sound : forall w g o caller value c amount until w',
  sound w g -> 0 <= amount -> open w o caller value c amount until = Done w' -> sound w' g.
Proof.
  intros. unfold open in *. match goal with E : _ = Done _ |- _ => taken E end.
  eapply deposit_into_sound; eassumption.
Qed.

Lemma deposit_sound : forall w g o value a id to_bob amount until w',
  sound w g -> 0 <= amount -> deposit w o value a id to_bob amount until = Done w' -> sound w' g.
Proof.
  intros. unfold deposit in *. match goal with E : _ = Done _ |- _ => taken E end.
  eapply deposit_into_sound; eassumption.
Qed.

Lemma open_both_sound : forall w g o caller value c x y until s w',
  sound w g -> 0 <= x -> 0 <= y ->
  open_both w o caller value c x y until s = Done w' -> sound w' g.
Proof.
  intros w g o caller value c x y until s w' S Hx Hy H. unfold open_both in H.
  set (by_alice := caller =? alice c) in *.
  assert (Hs : 0 <= if by_alice then x else y) by (destruct by_alice; assumption).
  assert (Hd : 0 <= if by_alice then y else x) by (destruct by_alice; assumption).
  set (share := if by_alice then x else y) in *. set (draws := if by_alice then y else x) in *.
  set (on := if by_alice then bob c else alice c) in *.
  clearbody share draws on.
  destruct (by_party c caller); [| discriminate ].
  destruct (now w <=? until); [| discriminate ].
  destruct (until <=? now w + challenge c); [| discriminate ].
  destruct (signed _ _ _); [| discriminate ].
  destruct (pull w o value (asset c) share) as [[w1 n]|] eqn:E; [| discriminate ]. cbn [bind] in H.
  destruct (share <=? n); [| discriminate ].
  destruct (disputes w1 (key c)) eqn:D; [ discriminate |].
  destruct (negb _); [| discriminate ].
  destruct (debit w1 (asset c) on draws) as [w2|] eqn:E2; [| discriminate ]. cbn [bind] in H.
  destruct (pull_sound _ 0 (key c) 0 w g o value share w1 n (S _ _) Hs E) as (S1 & Hn & _).
  destruct (debit_sound _ _ _ _ _ _ _ _ _ S1 Hd E2) as (S2 & F2 & D2 & _).
  assert (N : disputes w2 (key c) = None) by (rewrite D2; exact D).
  unfold key in *. eapply sound_from.
  eapply (raise_sound _ _ _ _ _ _ _ _ _ S2 N); [| | | exact H ]; destruct by_alice; lia.
Qed.

Lemma fund_sound : forall w g o value a account amount w',
  sound w g -> 0 <= amount -> fund w o value a account amount = Done w' -> sound w' g.
Proof.
  intros w g o value a account amount w' S Ha H. unfold fund in H.
  destruct (negb _); [| discriminate ].
  destruct (pull w o value a amount) as [[w1 n]|] eqn:E; [| discriminate ]. cbn [bind] in H.
  injection H as <-.
  destruct (pull_sound a 0 (a, no_channel 0) 0 w g o value amount w1 n (S _ _) Ha E)
    as (S1 & Hn & _).
  apply (give_credit_sound _ _ _ _ _ _ account n) in S1; [| exact Hn ].
  replace (0 + n - n) with 0 in S1 by lia. eapply sound_from. exact S1.
Qed.

(** ** Money out *)

Lemma close_sound : forall w g o caller c net until to_credit sa sb w',
  sound w g -> has g sa -> has g sb ->
  close w o caller c net until to_credit sa sb = Done w' -> sound w' g.
Proof.
  intros w g o caller c net until to_credit sa sb w' S Ha Hb H. unfold close in H.
  destruct (negb _); [| discriminate ].
  destruct (now w <=? until); [| discriminate ].
  destruct (before_deadline _ _); [| discriminate ].
  destruct (both_agree _ _ _ _ _ _) as [w1|] eqn:E; [| discriminate ]. cbn [bind] in H.
  destruct (both_agree_said _ _ _ _ _ _ _ _ Ha Hb E) as [-> Said].
  set (w1 := with_sent w (caller, Close (id_of c) net until to_credit)) in *.
  destruct (solvent (funds w1 (key c)) net []) eqn:V; [| discriminate ]. injection H as <-.
  destruct (solvent_nonneg _ _ _ V) as [Na Nb].
  assert (S1 : Sound (asset c) 0 (key c) 0 w1 g) by (apply sent_sound; apply S).
  set (w2 := with_dispute w1 (key c) None).
  assert (S2 : Sound (asset c) 0 (key c) 0 w2 g)
    by (apply dispute_sound; [ exact S1 | intros x Hx; discriminate Hx ]).
  assert (S3 := S2). unfold key in S3. eapply (take_sound _ _ _ _ nothing) in S3.
  - set (p := {| of_channel := c; before := funds w1 (key c); payout_net := net; resolved := [];
                 remaining := []; alice_paid := free_of_alice (funds w1 (key c)) net [];
                 bob_paid := free_of_bob (funds w1 (key c)) net []; payout_version := None;
                 was_settling := false |}).
    apply (pay_out_sound _ _ o p to_credit).
    + unfold p at 1 2 3 4 5 6. cbn [of_channel alice_paid bob_paid]. cbn [key fst].
      replace (free_of_alice (funds w1 (key c)) net [] + free_of_bob (funds w1 (key c)) net [])
        with (total (funds w2 (asset c, id_of c)) - total nothing).
      * exact S3.
      * unfold free_of_alice, free_of_bob, total, key, nothing, w2. simpl. lia.
    + constructor; unfold p; cbn [payout_version of_channel payout_net resolved remaining
        alice_paid bob_paid before].
      * split; [| split; reflexivity ]. exists until, to_credit. exact Said.
      * unfold free_of_alice. simpl. lia.
      * unfold free_of_bob. simpl. lia.
      * intros r [].
      * split; assumption.
  - unfold w2. simpl. apply update_same.
  - assert (X : 0 <= total (funds w1 (key c)))
      by (unfold free_of_alice, free_of_bob, total in *; change (sum alice_lock []) with 0 in *;
          change (sum bob_lock []) with 0 in *; lia).
    unfold w2. simpl. unfold nothing, total at 1 2. simpl. split; [ lia | exact X ].
Qed.


Lemma withdraw_sound : forall w g o caller c index x y until sa sb w',
  sound w g -> 0 <= x -> 0 <= y -> has g sa -> has g sb ->
  withdraw w o caller c index x y until sa sb = Done w' -> sound w' g.
Proof.
  intros w g o caller c index x y until sa sb w' S Hx Hy Ha Hb H. unfold withdraw in H.
  destruct (disputes w (key c)) eqn:D; [ discriminate |].
  destruct (now w <=? until); [| discriminate ].
  destruct ((index =? _) && _); [| discriminate ].
  destruct (both_agree _ _ _ _ _ _) as [w1|] eqn:E; [| discriminate ]. cbn [bind] in H.
  destruct (both_agree_said _ _ _ _ _ _ _ _ Ha Hb E) as [-> Said].
  set (w1 := with_sent w (caller, _)) in *.
  destruct (0 <=? _) eqn:N; [| discriminate ]. injection H as <-. numbers.
  set (f := {| of_alice := of_alice (funds w (key c)) - x; of_bob := of_bob (funds w (key c)) - y;
               withdrawals := index + 1; drawn := drawn (funds w (key c)) |}).
  assert (S1 : Sound (asset c) 0 (key c) 0 w1 g) by (apply sent_sound; apply S).
  assert (T : total (funds w1 (key c)) - total f = x + y) by (unfold total, f, w1; simpl; lia).
  unfold key in *. apply (take_sound _ _ _ _ f) in S1; [| exact D |].
  - rewrite T in S1.
    apply (pay_sound _ _ _ _ _ _ o (alice c) x false) in S1; [| exact Hx ].
    apply (pay_sound _ _ _ _ _ _ o (bob c) y false) in S1; [| exact Hy ].
    match type of S1 with Sound _ ?z _ _ _ _ => replace z with 0 in S1 by lia end.
    eapply sound_from. exact S1.
  - unfold total in *. unfold f, w1 in *. simpl in *. lia.
Qed.

Lemma claim_sound : forall w g o caller a amount to w',
  sound w g -> 0 <= amount -> claim self w o caller a amount to = Done w' -> sound w' g.
Proof.
  intros w g o caller a amount to w' S Ha H. unfold claim in H.
  destruct (negb _); [| discriminate ].
  destruct (debit w a caller amount) as [w1|] eqn:E; [| discriminate ]. cbn [bind] in H.
  destruct (debit_sound a 0 (a, no_channel 0) 0 w g _ _ _ (S _ _) Ha E) as (S1 & _).
  destruct (amount =? 0) eqn:Z0; numbers.
  - subst amount. injection H as <-. eapply sound_from. exact S1.
  - destruct (negb _); [| discriminate ]. destruct (delivers o to); [| discriminate ].
    injection H as <-. eapply sound_from. eapply sound_purse; try exact S1; try reflexivity.
    + replace 0 with (0 + amount + - amount) by lia.
      apply (covered_balance w1 a (- amount)). apply (s_covered _ _ _ _ _ _ S1).
    + apply (s_credits _ _ _ _ _ _ S1).
    + purse.
Qed.

(** ** Disputes *)

(** What [check_state] lets through. *)
Lemma check_state_sound : forall w g c caller v net nanos sa sb w',
  has g sa -> has g sb -> check_state w c caller v net nanos sa sb = Done w' ->
  (w' = w \/ exists x, w' = with_sent w x) /\ agreed w' g c v net nanos
  /\ solvent (funds w' (key c)) net nanos = true
  /\ sum alice_lock nanos <= MAX_AMOUNT /\ sum bob_lock nanos <= MAX_AMOUNT.
Proof.
  intros w g c caller v net nanos sa sb w' Ha Hb H. unfold check_state in H.
  match type of H with bind ?r _ = _ => destruct r as [w1|] eqn:E; [| discriminate ] end.
  cbn [bind] in H.
  destruct (length nanos <=? MAX_NANOS)%nat; [| discriminate ].
  destruct (ascending nanos); [| discriminate ].
  destruct ((sum alice_lock nanos <=? MAX_AMOUNT) && _) eqn:L; [| discriminate ].
  destruct (solvent (funds w1 (key c)) net nanos) eqn:V; [| discriminate ]. injection H as <-.
  numbers. destruct (v =? 0) eqn:V0; numbers.
  - destruct ((net =? 0) && (length nanos =? 0)%nat) eqn:Z0; [| discriminate ].
    injection E as <-. numbers. subst. split; [ left; reflexivity |].
    split; [ left | repeat split; assumption ]. repeat split.
    destruct nanos; [ reflexivity | discriminate ].
  - destruct (both_agree_said _ _ _ _ _ _ _ _ Ha Hb E) as [-> Said].
    split; [ right; eexists; reflexivity |]. split; [ right; exact Said | repeat split; assumption ].
Qed.

Lemma register_sound : forall w g caller c v net nanos sa sb evidence w',
  sound w g -> locks_fit nanos -> has g sa -> has g sb ->
  register w caller c v net nanos sa sb evidence = Done w' -> sound w' g.
Proof.
  intros w g caller c v net nanos sa sb evidence w' S L Ha Hb H. unfold register in H.
  match type of H with bind ?r _ = _ => destruct r as [until|]; [| discriminate ] end.
  cbn [bind] in H.
  match type of H with bind ?r _ = _ => destruct r as [w1|] eqn:E; [| discriminate ] end.
  cbn [bind] in H. destruct (evidence <=? length nanos)%nat; [| discriminate ]. injection H as <-.
  assert (X : forall w2,
    check_state w c caller v net nanos sa sb = Done w2 ->
    sound (with_dispute w2 (key c) (Some {| version := v; deadline := until;
      registered_net := net; registered_nanos := nanos; settling := false |})) g).
  { intros w2 C. destruct (check_state_sound _ _ _ _ _ _ _ _ _ _ Ha Hb C) as (W & A & V & _).
    assert (S2 : Sound (asset c) 0 (key c) 0 w2 g).
    { destruct W as [->|[x ->]]; [ apply S | apply sent_sound; apply S ]. }
    eapply sound_from. apply dispute_sound; [ exact S2 |]. intros x Hx. injection Hx as <-.
    constructor; simpl; try assumption; try discriminate.
    exists c, net, nanos. repeat split; try assumption; try apply incl_refl. }
  destruct (disputes w (key c)) as [d|].
  - destruct (v <=? version d); [ injection E as <-; exact S |].
    destruct (check_state _ _ _ _ _ _ _ _) as [w2|] eqn:C; [| discriminate ]. cbn [bind] in E.
    injection E as <-. apply X. reflexivity.
  - destruct (check_state _ _ _ _ _ _ _ _) as [w2|] eqn:C; [| discriminate ]. cbn [bind] in E.
    injection E as <-. apply X. reflexivity.
Qed.

(** The heart of a settlement: what goes out and what stays is what there was. *)
Lemma settle_sound : forall w g o c net nanos w',
  sound w g -> settle w o c net nanos = Done w' -> sound w' g.
Proof.
  intros w g o c net nanos w' S H. unfold settle in H.
  destruct (disputes w (key c)) as [d|] eqn:D; [| discriminate ].
  destruct (deadline d <? now w); [| discriminate ].
  destruct ((net =? registered_net d) && _) eqn:M; [| discriminate ]. numbers. subst net.
  destruct (list_eq_dec _ _ _) as [->|]; [| discriminate ].
  destruct (answers (now w) o (registered_nanos d)) as [done waiting] eqn:An.
  destruct (settling d && _); [ injection H as <-; exact S |].
  destruct (solvent (funds w (key c)) (registered_net d) (registered_nanos d)) eqn:V;
    [| discriminate ]. injection H as <-.
  assert (DS := s_disputes _ _ _ _ _ _ (S ETH (key c)) _ _ D).
  destruct DS as [(c0 & net0 & nanos0 & K & A & I & G) _ L Z].
  assert (c0 = c) by (unfold key in K; congruence). subst c0.
  destruct (answers_add_up _ _ _ _ _ L An) as [SA SB ID IW B].
  destruct (solvent_nonneg _ _ _ V) as [Na Nb].
  destruct (to_alice_nonneg _ B) as [Ra Rb].
  set (f := funds w (key c)) in *. set (rn := registered_net d) in *.
  set (pa := free_of_alice f rn (registered_nanos d) + sum to_alice done).
  set (pb := free_of_bob f rn (registered_nanos d) + sum to_bob done).
  assert (Pa : pa = of_alice f - rn - sum alice_lock waiting - sum shift done)
    by (unfold pa, free_of_alice; rewrite to_alice_adds_up; lia).
  assert (Pb : pb = of_bob f + rn - sum bob_lock waiting + sum shift done)
    by (unfold pb, free_of_bob; rewrite to_bob_adds_up; lia).
  assert (Wa : 0 <= sum alice_lock waiting)
    by (apply sum_nonneg; intros n Hn; apply L, IW; exact Hn).
  assert (Wb : 0 <= sum bob_lock waiting)
    by (apply sum_nonneg; intros n Hn; apply L, IW; exact Hn).
  set (p := {| of_channel := c; before := f; payout_net := rn; resolved := done;
               remaining := waiting; alice_paid := pa; bob_paid := pb;
               payout_version := Some (version d); was_settling := settling d |}).
  assert (PS : PayoutSound w g p).
  { constructor; unfold p; cbn [payout_version of_channel payout_net resolved remaining
        alice_paid bob_paid before was_settling].
    - exists net0, nanos0. split; [ exact A |]. split; [ eapply incl_tran; eassumption |].
      split; [ eapply incl_tran; eassumption |]. destruct (settling d) eqn:Sd.
      + apply Z. reflexivity.
      + apply G. reflexivity.
    - exact Pa.
    - exact Pb.
    - exact B.
    - lia. }
  apply (pay_out_sound _ _ o p 0).
  - unfold p at 1 2 3 4 5 6. cbn [of_channel alice_paid bob_paid]. cbn [key fst].
    destruct (length waiting =? 0)%nat eqn:Lw; numbers.
    + destruct waiting; [| discriminate ]. simpl in Pa, Pb, Wa, Wb.
      set (w1 := with_dispute w (key c) None).
      assert (S1 : Sound (asset c) 0 (key c) 0 w1 g)
        by (apply dispute_sound; [ apply S | intros x Hx; discriminate Hx ]).
      unfold key in S1. apply (take_sound _ _ _ _ nothing) in S1.
      * replace (pa + pb) with (total (funds w1 (asset c, id_of c)) - total nothing)
          by (change (funds w1 (asset c, id_of c)) with f; change (total nothing) with 0;
              unfold total; lia).
        exact S1.
      * simpl. apply update_same.
      * change (funds w1 (asset c, id_of c)) with f. change (total nothing) with 0.
        unfold total. lia.
    + set (f' := {| of_alice := sum alice_lock waiting; of_bob := sum bob_lock waiting;
                    withdrawals := withdrawals f; drawn := drawn f |}).
      set (d' := {| version := version d; deadline := deadline d; registered_net := 0;
                    registered_nanos := waiting; settling := true |}).
      assert (S1 : Sound (asset c) 0 (key c) 0 (with_dispute w (key c) None) g)
        by (apply dispute_sound; [ apply S | intros x Hx; discriminate Hx ]).
      set (w1 := with_dispute w (key c) None) in *.
      unfold key in S1. apply (take_sound _ _ _ _ f') in S1.
      * replace (total (funds w1 (asset c, id_of c)) - total f') with (pa + pb) in S1
          by (change (funds w1 (asset c, id_of c)) with f; unfold total, f'; simpl; lia).
        apply (dispute_sound _ _ _ _ _ _ (key c) (Some d')) in S1.
        -- destruct S1 as [C O T R Acc Ds Ps]. constructor; try assumption.
           ++ intros k' x Hx. apply (dispute_more (with_dispute (with_funds w1 (key c) f') (key c)
                (Some d'))); [ apply incl_refl | reflexivity |]. apply Ds.
              revert Hx. unfold w1. simpl. unfold update. destruct (Key_eq_dec (key c) k'); auto.
           ++ intros q Hq. apply (payout_more (with_dispute (with_funds w1 (key c) f') (key c)
                (Some d'))); [ apply incl_refl | apply Ps; exact Hq ].
        -- intros x Hx. injection Hx as <-. constructor; unfold d'; simpl.
           ++ exists c, net0, nanos0. split; [ reflexivity |]. split.
              ** eapply agreed_more; [ apply incl_refl | exact A ].
              ** split; [ eapply incl_tran; eassumption | discriminate ].
           ++ rewrite update_same. unfold solvent, free_of_alice, free_of_bob. simpl.
              apply andb_true_intro. split; apply Z.leb_le; lia.
           ++ intros n Hn. apply L, IW. exact Hn.
           ++ intros _. rewrite update_same. repeat split. intros ->. apply Lw. reflexivity.
      * simpl. apply update_same.
      * change (funds w1 (asset c, id_of c)) with f. unfold total, f'. simpl. lia.
  - destruct PS as [W1 A1 B1 S1 N1]. constructor; try assumption.
    destruct W1 as (n1 & l1 & G1 & R1). exists n1, l1. split; [| exact R1 ].
    eapply agreed_more; [| exact G1 ]. destruct (length waiting =? 0)%nat; apply incl_refl.
Qed.

Lemma settle_many_sound : forall items w g o w',
  sound w g -> settle_many w o items = Done w' -> sound w' g.
Proof.
  induction items as [|[[c net] nanos] rest IH]; intros w g o w' S H; simpl in H.
  - injection H as <-. exact S.
  - destruct (settle w o c net nanos) as [w1|why] eqn:E.
    + apply (IH w1 g o w'); [ exact (settle_sound _ _ _ _ _ _ _ S E) | exact H ].
    + destruct why; try discriminate H; exact (IH _ _ _ _ S H).
Qed.

(** ** Every call, every step, every history *)

Theorem run_sound : forall w g o caller value call w',
  sound w g -> Forall (has g) (signatures_of call) ->
  run self w o caller value call = Done w' -> sound w' g.
Proof.
  intros w g o caller value call w' S Hs H. unfold run in H.
  destruct (fits call) eqn:F; [| discriminate ].
  destruct call; simpl in Hs, F;
    repeat match goal with X : Forall _ (_ :: _) |- _ => inversion X; clear X; subst end;
    try (destruct (value =? 0); [| discriminate ]); numbers;
    repeat match goal with X : uint _ _ = true |- _ => apply uint_nonneg in X end.
  - eapply open_sound; [ exact S | | exact H ]; assumption.
  - eapply open_both_sound; [ exact S | | | exact H ]; assumption.
  - eapply deposit_sound; [ exact S | | exact H ]; assumption.
  - eapply close_sound; [ exact S | | | exact H ]; assumption.
  - eapply withdraw_sound; [ exact S | | | | | exact H ]; assumption.
  - eapply register_sound; [ exact S | refine (nanos_fit _ _) | | | exact H ]; assumption.
  - exact (settle_sound _ _ _ _ _ _ _ S H).
  - exact (settle_many_sound _ _ _ _ _ S H).
  - eapply fund_sound; [ exact S | | exact H ]; assumption.
  - eapply claim_sound; [ exact S | | exact H ]; assumption.
Qed.

Lemma given_more : forall w g x, sound w g -> sound w (x :: g).
Proof.
  intros w g x S a k. destruct (S a k) as [C O T R A D P].
  assert (Sa : forall account key m, said w g account key m -> said w (x :: g) account key m)
    by (intros ? ? ? [B|B]; [ left; right; exact B | right; exact B ]).
  assert (Ag : forall c v net nanos, agreed w g c v net nanos -> agreed w (x :: g) c v net nanos).
  { intros c v net nanos [B|[B1 B2]]; [ left; exact B | right; split; auto ]. }
  constructor; try assumption.
  - intros k' d Hd. destruct (D k' d Hd) as [(c & net & nanos & K & B & R') V L Z].
    constructor; try assumption. exists c, net, nanos. split; [ exact K |]. split; auto.
  - intros p Hp. destruct (P p Hp) as [W B1 B2 B3 B4]. constructor; try assumption.
    destruct (payout_version p).
    + destruct W as (net & nanos & B & R'). exists net, nanos. split; auto.
    + destruct W as ((until & tc & B5 & B6) & R'). split; [| exact R' ].
      exists until, tc. split; auto.
Qed.

Lemma sum_of_nothing : forall A (f : A -> Z) l, (forall x, f x = 0) -> sum f l = 0.
Proof. intros A f l H. induction l as [|x l IH]; simpl; [ reflexivity |]. rewrite H, IH. lia. Qed.

Lemma nothing_is_covered : forall a, covered start a 0.
Proof.
  intros a ids ps _ _. rewrite !sum_of_nothing; [ simpl; lia | reflexivity | reflexivity ].
Qed.

Theorem always_sound : forall w g, reachable self w g -> sound w g.
Proof.
  intros w g H. unfold reachable in H.
  remember (start, []) as s eqn:Es. remember (w, g) as t eqn:Et. revert w g Et.
  induction H as [x|x y z H IH St]; intros w g Et; subst.
  - injection Et as <- <-. intros a k. constructor; simpl; try contradiction; try discriminate.
    + apply nothing_is_covered.
    + intros a' _. apply nothing_is_covered.
    + intros p. simpl. split; [ lia | apply Z.lt_le_incl; reflexivity ].
    + intros k'. destruct (Key_eq_dec k k'); reflexivity.
  - destruct y as [w0 g0]. specialize (IH eq_refl w0 g0 eq_refl).
    inversion St; subst.
    + apply given_more. exact IH.
    + intros a k. destruct (IH a k) as [C O T R A D P]. constructor; try assumption.
      * intros k' d Hd. apply (dispute_more w0); [ apply incl_refl | reflexivity | auto ].
      * intros p Hp. apply (payout_more w0); [ apply incl_refl | auto ].
    + apply (sound_from _ _ a (a, no_channel 0)).
      apply (sound_purse a 0 0 (a, no_channel 0) 0 w0); try reflexivity.
      * apply IH.
      * apply (covered_less _ _ (0 + n)); [| lia ]. apply covered_balance.
        apply (s_covered _ _ _ _ _ _ (IH a (a, no_channel 0))).
      * apply (s_credits _ _ _ _ _ _ (IH a (a, no_channel 0))).
      * purse.
    + eapply run_sound; eassumption.
Qed.

End Reachable.
