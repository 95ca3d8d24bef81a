(** P2, balance security: whatever everybody else does, a channel ends for a party that keeps
    section 5 in one of the ways that it counts with.  The model is in [Parties.v]. *)

From Coq Require Import Permutation.
From Perun Require Export Parties.

Ltac four a b c d := split; [ exact a | split; [ exact b | split; [ exact c | split; [ exact d |]]]].

Section Balance.
Variable self : Address.
Variable c : Channel.
Variable as_bob : bool.
Variables freshness margin : Z.
Variable worth : Z * list Nano -> Z.

Notation account := (account c as_bob).
Notation my_key := (my_key c as_bob).
Notation peer_key := (peer_key c as_bob).
Notation state := (state c).
Notation Move := (Move self c as_bob freshness margin worth).
Notation Books := (Books c as_bob worth).
Notation possible := (possible self c as_bob freshness margin worth).
Notation Begins := (Begins self c as_bob worth).
Notation Joined := (Joined c freshness margin).
Notation "'funds_of' w" := (funds w (key c)) (at level 10, w at level 9).
Notation "'dispute_of' w" := (disputes w (key c)) (at level 10, w at level 9).

Definition no_less (f f' : Funds) : Prop := of_alice f <= of_alice f' /\ of_bob f <= of_bob f'.

Lemma covers_more : forall f f' t, no_less f f' -> covers f t -> covers f' t.
Proof.
  unfold no_less, covers, solvent, free_of_alice, free_of_bob. intros f f' t [A B] H.
  apply andb_prop in H. destruct H as [H K]. apply Z.leb_le in H, K.
  apply andb_true_intro. split; apply Z.leb_le; lia.
Qed.

Lemma no_less_refl : forall f, no_less f f.
Proof. intros. split; lia. Qed.
Lemma no_less_trans : forall f g h, no_less f g -> no_less g h -> no_less f h.
Proof. unfold no_less. intros. lia. Qed.
Lemma after_more : forall f f' x, no_less f f' -> no_less (after f x) (after f' x).
Proof. unfold no_less, after. simpl. intros. lia. Qed.

(** All it counts with can be registered as things stand, and once a live Withdraw is mined. *)
Definition Solid (w : World) (s : Store) : Prop :=
  forall t, In t (newest s :: unresolved s) -> covers (funds_of w) t
  /\ forall y, taking s = Some y -> take_index y = withdrawals (funds_of w) ->
     covers (after (funds_of w) y) t.

(** What it saw is no more than what is there, but for a Withdraw that it signed. *)
Definition Seen (w : World) (s : Store) (v : View) : Prop :=
  (withdrawals (funds_of w) = withdrawals (seen_funds v) /\ no_less (seen_funds v) (funds_of w))
  \/ exists y, taking s = Some y /\ take_index y = withdrawals (seen_funds v)
     /\ withdrawals (funds_of w) = take_index y + 1 /\ no_less (after (seen_funds v) y) (funds_of w).

(** When the dispute that there is was opened. *)
Definition opened (d : Dispute) : Z := deadline d - challenge c.

Record Guarded (x : Situation) : Prop := {
  h_close : forall o, In (my_key, closing c o) (given_ x) -> now (world x) <= close_until o ->
            In o (closes (disk x)) /\ In o (closes (memory x));
  h_withdraw : forall y, In (my_key, withdrawing c y) (given_ x) ->
            now (world x) <= take_until y -> withdrawals (funds_of (world x)) <= take_index y ->
            taking (disk x) = Some y /\ taking (memory x) = Some y;
  h_ahead_close : forall o, In o (closes (disk x)) -> now (world x) <= close_until o ->
            In o (closes (memory x));
  h_ahead_taking : forall y, taking (disk x) = Some y -> now (world x) <= take_until y ->
            withdrawals (funds_of (world x)) <= take_index y -> taking (memory x) = Some y;
  h_disk : Solid (world x) (disk x);
  h_memory : Solid (world x) (memory x);
  h_view : forall v, view x = Some v -> seen_dispute v = alarm x /\ Seen (world x) (memory x) v;
  h_looked : looked x <= now (world x) <= looked x + freshness;
  h_due : forall t, due x = Some t -> now (world x) <= t;
  h_calm : alarm x = false -> due x = None;
  h_none : dispute_of (world x) = None -> alarm x = false;
  h_dispute : forall d, dispute_of (world x) = Some d ->
            settling d = false /\ opened d <= now (world x)
            /\ agreed (world x) (given_ x) c (version d) (registered_net d) (registered_nanos d)
            /\ (alarm x = false -> looked x <= opened d)
            /\ (alarm x = true -> newest (memory x) = newest (disk x)
                /\ (number (newest (disk x)) <= version d
                    \/ exists t, due x = Some t /\ t <= opened d + freshness + margin))
}.

(** ** What the chain does to a channel that has not ended *)

(** A payout that ends the channel in a way that was counted with. *)
Definition Fair (t : Z) (s : Store) (p : Payout) : Prop :=
  exists e o, In e (ways s) /\ payout_net p = fst e
  /\ answers t o (snd e) = (resolved p, remaining p).

Definition knows (x : Situation) (w : World) : Prop := forall m, about m = id_of c ->
  In (account, m) (sent w) \/ In (my_key, m) (sent w) -> In (my_key, m) (given_ x).

Lemma said_is_given : forall x w m, knows x w -> about m = id_of c ->
  both_said w (given_ x) c m -> In (my_key, m) (given_ x).
Proof.
  intros x w m K A [SA SB].
  assert (S : said w (given_ x) account my_key m)
    by (unfold Parties.account, Parties.my_key; destruct as_bob; assumption).
  destruct S as [S|S]; [ exact S | exact (K m A S) ].
Qed.

Lemma agreed_cases : forall x w v net nanos, knows x w -> agreed w (given_ x) c v net nanos ->
  {| number := v; net_of := net; listed := nanos |} = beginning
  \/ In (my_key, state {| number := v; net_of := net; listed := nanos |}) (given_ x).
Proof.
  intros x w v net nanos K [(-> & -> & ->)|S]; [ left; reflexivity | right ].
  eapply said_is_given; [ exact K | reflexivity | exact S ].
Qed.

Lemma agreed_way : forall x w v net nanos, Books x -> knows x w ->
  agreed w (given_ x) c v net nanos -> number (newest (disk x)) <= v ->
  In (net, nanos) (ways (disk x)).
Proof.
  intros x w v net nanos B K A L.
  destruct (agreed_cases x w v net nanos K A) as [E|I].
  - injection E as -> -> ->. pose proof (f_low _ _ _ _ _ (k_disk _ _ _ x B)).
    assert (Z : number (newest (disk x)) = 0) by lia.
    pose proof (f_start _ _ _ _ _ (k_disk _ _ _ x B) Z) as S.
    pose proof (ways_newest (disk x)) as W. rewrite S in W. exact W.
  - destruct (k_given _ _ _ x B _ I) as (_ & [E|[I'|L']] & _).
    + pose proof (ways_newest (disk x)) as W. rewrite <- E in W. exact W.
    + exact (ways_unresolved _ _ I').
    + simpl in L'. lia.
Qed.

Definition at_world (x : Situation) (w : World) : Situation := with_world x w (given_ x).

Lemma effect_guarded : forall x w', Joined -> Books x -> Guarded x ->
  outs (world x) (key c) = [] -> now w' = now (world x) -> incl (sent (world x)) (sent w') ->
  knows x w' -> Effect (world x) w' (given_ x) (key c) ->
  (outs w' (key c) = [] /\ Guarded (at_world x w'))
  \/ exists p, outs w' (key c) = [p] /\ Fair (now (world x)) (disk x) p.
Proof.
  intros x w' (Ka & Kb & Fp & Mp & Ch) B G Ou Nw Is K E.
  assert (Kx : knows x (world x)) by (intros m Ab J; apply K; auto; destruct J; auto).
  destruct G as [Hc Hw Hac Hat Hd Hm Hv Hl Hdu Hca Hn Hds].
  destruct E as [Os Fs Ds|Os D1 D2 Fa Fb Fw|c' index a b until Os Kc U Fw D1 D2 Said Ix Fa Fb
    |c' d' Os Kc Fs D2 Sd Ag M|p Kc P V R Bf F2 D2 M Said|p d Kc P D1 T V Bf Ne Ws (o & An) D2].
  - left. split; [ congruence |]. constructor; simpl; rewrite ?Nw, ?Fs, ?Ds; auto.
    + intros t I. unfold Solid in Hd. rewrite Fs. apply Hd. exact I.
    + intros t I. unfold Solid in Hm. rewrite Fs. apply Hm. exact I.
    + intros v E. destruct (Hv v E) as [S1 S2]. split; [ exact S1 |]. unfold Seen in *.
      rewrite Fs. exact S2.
    + intros d E. destruct (Hds d E) as (A1 & A2 & A3 & A4). repeat split; try tauto.
      eapply agreed_more; [| exact A3 ]. exact Is.
  - assert (NL : no_less (funds_of (world x)) (funds_of w')) by (split; assumption).
    left. split; [ congruence |]. constructor; simpl; rewrite ?Nw, ?Fw; auto.
    + intros t I. destruct (Hd t I) as [C1 C2]. split; [ eapply covers_more; eassumption |].
      rewrite Fw. intros y Ty Iy. eapply covers_more; [ apply after_more; exact NL | auto ].
    + intros t I. destruct (Hm t I) as [C1 C2]. split; [ eapply covers_more; eassumption |].
      rewrite Fw. intros y Ty Iy. eapply covers_more; [ apply after_more; exact NL | auto ].
    + intros v E. destruct (Hv v E) as [S1 S2]. split; [ exact S1 |]. unfold Seen in *.
      rewrite Fw. destruct S2 as [[S2 S3]|(y & Ty & Iy & Wy & Ny)].
      * left. split; [ exact S2 | eapply no_less_trans; eassumption ].
      * right. exists y. repeat split; auto; eapply no_less_trans; eassumption.
    + intros d E. congruence.
  - assert (c' = c) by (unfold key in Kc; congruence). subst c'.
    set (y := {| take_index := index; take_alice := a; take_bob := b; take_until := until |}).
    assert (Gy : In (my_key, withdrawing c y) (given_ x))
      by (eapply said_is_given; [ exact K | reflexivity | exact Said ]).
    destruct (Hw y Gy U) as [Td Tm]; [ simpl; lia |].
    assert (Cov : forall t, covers (after (funds_of (world x)) y) t -> covers (funds_of w') t).
    { intros t. apply covers_more. split; simpl; lia. }
    left. split; [ congruence |].
    constructor; simpl; rewrite ?Nw; auto.
    + intros z Gz Uz Iz. apply Hw; auto. lia.
    + intros z Tz Uz Iz. apply Hat; auto. lia.
    + intros t I. destruct (Hd t I) as [C1 C2]. split; [ apply Cov, C2; simpl; auto |].
      intros z Tz Iz. assert (z = y) by congruence. subst z. simpl in Iz. lia.
    + intros t I. destruct (Hm t I) as [C1 C2]. split; [ apply Cov, C2; simpl; auto |].
      intros z Tz Iz. assert (z = y) by congruence. subst z. simpl in Iz. lia.
    + intros v E. destruct (Hv v E) as [S1 S2]. split; [ exact S1 |].
      destruct S2 as [[S2 S3]|(z & Tz & Iz & Wz & Nz)].
      * right. exists y. split; [ exact Tm |]. simpl. repeat split; try lia;
          destruct S3; simpl; lia.
      * exfalso. assert (z = y) by congruence. subst z. simpl in Wz. lia.
    + intros d E. congruence.
  - assert (c' = c) by (unfold key in Kc; congruence). subst c'.
    left. split; [ congruence |]. constructor; simpl; rewrite ?Nw, ?Fs; auto.
    + intros t I. unfold Solid in Hd. rewrite Fs. apply Hd. exact I.
    + intros t I. unfold Solid in Hm. rewrite Fs. apply Hm. exact I.
    + intros v E. destruct (Hv v E) as [S1 S2]. split; [ exact S1 |]. unfold Seen in *.
      rewrite Fs. exact S2.
    + intros N. congruence.
    + intros d E. assert (d = d') by congruence. subst d. unfold opened in *.
      destruct (dispute_of (world x)) as [d0|] eqn:D0.
      * destruct M as (M1 & M2 & M3). destruct (Hds d0 eq_refl) as (A1 & A2 & A3 & A4 & A5).
        rewrite M2. split; [ exact Sd |]. split; [ exact A2 |]. split; [ exact Ag |].
        split; [ exact A4 |]. intros Al. destruct (A5 Al) as [A6 [A7|A7]]; split; auto.
        left. lia.
      * rewrite M. split; [ exact Sd |]. split; [ lia |]. split; [ exact Ag |].
        split; [ intros _; lia |].
        intros Al. rewrite (Hn eq_refl) in Al. discriminate Al.
  - right. exists p. split; [ rewrite (outs_more _ _ _ _ P Kc), Ou; reflexivity |].
    assert (c = of_channel p) by (unfold key in Kc; congruence).
    destruct Said as (until & tc & U & Said). rewrite <- H in Said.
    set (o := {| close_net := payout_net p; close_until := until; close_credit := tc |}).
    assert (Go : In (my_key, closing c o) (given_ x))
      by (eapply said_is_given; [ exact K | reflexivity | exact Said ]).
    destruct (Hc o Go U) as [Co _]. destruct R as [R1 R2].
    exists (payout_net p, []), {| arrives := fun _ => None; delivers := fun _ => true;
      outcome := fun _ => None |}.
    split; [ exact (ways_close _ _ Co) |]. split; [ reflexivity |]. simpl. congruence.
  - right. exists p. split; [ rewrite (outs_more _ _ _ _ P Kc), Ou; reflexivity |].
    destruct (Hds d D1) as (A1 & A2 & A3 & A4 & A5). unfold opened in *.
    assert (L : number (newest (disk x)) <= version d).
    { destruct (alarm x) eqn:Al.
      - destruct (A5 eq_refl) as [_ [L|(t & Dt & Lt)]]; [ exact L |].
        specialize (Hdu t Dt). lia.
      - specialize (A4 eq_refl). lia. }
    exists (registered_net d, registered_nanos d), o.
    split; [ exact (agreed_way x (world x) _ _ _ B Kx A3 L) |]. split; assumption.
Qed.

Lemma effect_outs : forall w w' g k, Effect w w' g k -> exists l, outs w' k = l ++ outs w k.
Proof.
  intros w w' g k E. destruct E;
    try (exists []; assumption); exists [p]; apply outs_more; assumption.
Qed.

Lemma chain_outs : forall g w w', Chain g w w' -> forall k, exists l, outs w' k = l ++ outs w k.
Proof.
  induction 1 as [w|w w' w'' N E C IH]; intros k; [ exists []; reflexivity |].
  destruct (effect_outs _ _ _ _ (E k)) as [l L]. destruct (IH k) as [l' L'].
  exists (l' ++ l). rewrite L', L. apply app_assoc.
Qed.

Lemma chain_guarded : forall g w w', Chain g w w' -> forall x, world x = w -> given_ x = g ->
  Joined -> Books x -> Guarded x -> outs w (key c) = [] -> knows x w' ->
  (outs w' (key c) = [] /\ Guarded (at_world x w'))
  \/ exists rest p, outs w' (key c) = rest ++ [p] /\ Fair (now w) (disk x) p.
Proof.
  induction 1 as [w|w w1 w' [N I] E C IH]; intros x Wx Gx J B G Ou K.
  - left. split; [ exact Ou |]. subst. destruct x; exact G.
  - destruct (chain_now _ _ _ C) as [N' I']. subst w g.
    assert (K1 : knows x w1) by (intros m Ab [S|S]; apply K; auto).
    destruct (effect_guarded x w1 J B G Ou N I K1 (E (key c))) as [[O1 G1]|(p & O1 & F1)].
    + destruct (IH (at_world x w1) eq_refl eq_refl J) as [X|(rest & p & O2 & F2)]; auto.
      * apply books_world; auto; apply incl_refl.
      * right. exists rest, p. split; [ exact O2 |]. rewrite <- N. exact F2.
    + right. destruct (chain_outs _ _ _ C (key c)) as [l L]. exists l, p.
      split; [ rewrite L, O1; reflexivity | exact F1 ].
Qed.

(** ** What its own moves do *)

Lemma agreed_given : forall w g g' v net nanos, incl g g' -> agreed w g c v net nanos ->
  agreed w g' c v net nanos.
Proof.
  intros w g g' v net nanos I [A|[SA SB]]; [ left; exact A | right ].
  split; [ destruct SA as [S|S] | destruct SB as [S|S] ]; [ left | right | left | right ]; auto.
Qed.

Lemma solid_turn : forall g w v s s', Solid w s -> Seen w s v -> Turn c as_bob worth g v s s' ->
  Solid w s' /\ Seen w s' v.
Proof.
  intros g w v s s' S Se T.
  assert (New : forall t, covers_whatever (seen_funds v) (taking s) t -> covers (funds_of w) t
    /\ forall y, taking s = Some y -> take_index y = withdrawals (funds_of w) ->
       covers (after (funds_of w) y) t).
  { intros t [C C']. destruct Se as [[W N]|(y & Ty & Iy & Wy & Ny)].
    - split; [ eapply covers_more; eassumption |]. intros y Ty _.
      eapply covers_more; [ apply after_more; exact N | auto ].
    - split; [ eapply covers_more; [ exact Ny | auto ] |]. intros z Tz Iz.
      assert (z = y) by congruence. subst z. lia. }
  destruct T as [t M|t Se' M P|t Se' I P|o L N|x N Ix C|n L].
  - split; [| exact Se ]. intros u U. fields. simpl in U.
    destruct U as [<-|[<-|U]]; [ apply S; left; reflexivity | apply New, M | apply S; right; exact U ].
  - split; [| exact Se ]. intros u [<-|[]]. fields. apply New, M.
  - split; [| exact Se ]. intros u [<-|U]; fields; apply S; right; [ exact I |].
    apply filter_In in U. tauto.
  - split; [ exact S | exact Se ].
  - destruct Se as [[W F]|(y & Ty & _)]; [| congruence ].
    split; [| left; split; assumption ].
    intros u U. fields. split; [ apply S; exact U |].
    intros y Y Iy. injection Y as <-. eapply covers_more; [ apply after_more; exact F | apply C; exact U ].
  - split; [ exact S | exact Se ].
Qed.

Lemma closing_inj : forall o o', closing c o = closing c o' -> o = o'.
Proof. intros [a b d] [a' b' d'] H. unfold closing in H. simpl in H. congruence. Qed.
Lemma withdrawing_inj : forall y z, withdrawing c y = withdrawing c z -> y = z.
Proof. intros [a b d e] [a' b' d' e'] H. unfold withdrawing in H. simpl in H. congruence. Qed.

Lemma guarded_given : forall x g', Guarded x -> incl (given_ x) g' ->
  (forall o, In (my_key, closing c o) g' ->
     In (my_key, closing c o) (given_ x) \/ In o (closes (disk x))) ->
  (forall y, In (my_key, withdrawing c y) g' ->
     In (my_key, withdrawing c y) (given_ x) \/ taking (disk x) = Some y) ->
  Guarded (with_world x (world x) g').
Proof.
  intros x g' [Hc Hw Hac Hat Hd Hm Hv Hl Hdu Hca Hn Hds] I C T.
  constructor; simpl; auto.
  - intros o Go U. destruct (C o Go) as [Go'|D]; auto.
  - intros y Gy U Ix. destruct (T y Gy) as [Gy'|D]; auto.
  - intros d D. destruct (Hds d D) as (A1 & A2 & A3 & A4 & A5). repeat split; try tauto.
    eapply agreed_given; eassumption.
Qed.

Lemma turn_keeps : forall g v s s', Turn c as_bob worth g v s s' ->
  incl (closes s) (closes s') /\ (forall y, taking s = Some y -> taking s' = Some y)
  /\ (seen_dispute v = true -> newest s' = newest s).
Proof.
  intros g v s s' T. destruct T as [t M|t Se M P|t Se I P|o L N|x N Ix C|n L]; fields;
    (split; [ try apply incl_refl; apply incl_tl, incl_refl | split; [ try congruence; auto |] ]);
    try (intros; reflexivity);
    intros D; rewrite D in Se; discriminate Se.
Qed.

Lemma registered_counts : forall w w' caller t d, dispute_of w = Some d ->
  register w caller c (number t) (net_of t) (listed t) (Signed (alice_key c) (state t))
    (Signed (bob_key c) (state t)) 0 = Done w' ->
  exists d', dispute_of w' = Some d' /\ number t <= version d'.
Proof.
  intros w w' caller t d D R. unfold register in R. rewrite D in R.
  destruct (now w <=? deadline d); [| discriminate ]. cbn [bind] in R.
  destruct (number t <=? version d) eqn:V.
  - taken R. subst. numbers. exists d. split; assumption.
  - destruct (check_state _ _ _ _ _ _ _ _) as [w2|]; [| discriminate ]. cbn [bind] in R.
    taken R. subst. simpl. rewrite update_same. eexists. split; [ reflexivity |]. simpl. lia.
Qed.

(** The answer that it owes is good when it is mined. *)
Lemma its_answer_is_good : forall x d o, Joined -> Books x -> Guarded x ->
  0 < number (newest (disk x)) -> dispute_of (world x) = Some d ->
  now (world x) <= deadline d ->
  exists w', run self (world x) o account 0 (registering c (newest (disk x))) = Done w'.
Proof.
  intros x d o (Ka & Kb & _) B G P D T.
  destruct (f_form _ _ _ _ _ (k_disk _ _ _ x B) (newest (disk x))) as (F1 & F2 & F3 & F4 & F5);
    [ left; reflexivity | lia |].
  destruct (h_disk x G (newest (disk x)) (or_introl eq_refl)) as [C _].
  destruct (an_answer_is_taken (world x) c d (number (newest (disk x))) (net_of (newest (disk x)))
    (listed (newest (disk x))) account 0) as (w' & R & _); try assumption; try lia.
  exists w'. unfold run. rewrite F1. exact R.
Qed.

Lemma guarded_move : forall x y, Joined -> Books x -> Guarded x -> outs (world x) (key c) = [] ->
  Move x y ->
  (outs (world y) (key c) = [] /\ Guarded y)
  \/ exists rest p, outs (world y) (key c) = rest ++ [p] /\ Fair (now (world x)) (disk x) p.
Proof.
  intros x y J B G Ou M. assert (G' := G). destruct G as [Hc Hw Hac Hat Hd Hm Hv Hl Hdu Hca Hn Hds].
  destruct M as [k m Nk|seconds Ps Pf Pd|a n Pn|o caller value call w' Hs Ca R|v s V T| |m Kp| | |w' P R].
  - left. split; [ exact Ou |]. apply guarded_given; auto; [ apply incl_tl, incl_refl | |];
      intros z [E|I]; try (left; exact I); congruence.
  - left. split; [ exact Ou |]. constructor; simpl; auto; try (intros; apply Hc; auto; lia);
      try (intros; apply Hw; auto; lia); try (intros; apply Hac; auto; lia);
      try (intros; apply Hat; auto; lia); [ lia |].
    intros d D. destruct (Hds d D) as (A1 & A2 & A3 & A4 & A5). repeat split; try tauto; lia.
  - left. split; [ exact Ou |]. constructor; simpl; auto.
  - destruct (run_effects self _ _ _ _ _ _ _ Hs R) as [C _].
    apply (chain_guarded _ _ _ C x); auto.
    intros m Ab I. eapply word_by_call; eassumption.
  - left. split; [ exact Ou |]. destruct (Hv v V) as [Sv Se].
    destruct (solid_turn _ _ _ _ _ Hm Se T) as [So' Se'].
    destruct (turn_keeps _ _ _ _ T) as (Tc & Tt & Tn).
    constructor; simpl; auto.
    + intros o Go U. destruct (Hc o Go U) as [A A']. auto.
    + intros z Gz U Iz. destruct (Hw z Gz U Iz) as [A A']. auto.
    + intros u U. assert (u = v) by congruence. subst u. split; assumption.
    + intros d D. destruct (Hds d D) as (A1 & A2 & A3 & A4 & A5). four A1 A2 A3 A4.
      intros Al. destruct (A5 Al) as [E A6]. rewrite Tn; [ split; assumption | congruence ].
  - left. split; [ exact Ou |]. constructor; simpl; auto.
    + intros o Go U. destruct (Hc o Go U). auto.
    + intros z Gz U Iz. destruct (Hw z Gz U Iz). auto.
    + intros d D. destruct (Hds d D) as (A1 & A2 & A3 & A4 & A5). four A1 A2 A3 A4.
      intros Al. destruct (A5 Al) as [E A6]. rewrite E. split; [ reflexivity | exact A6 ].
  - left. split; [ exact Ou |]. apply guarded_given; auto; [ apply incl_tl, incl_refl | |].
    + intros o [E|I]; [| left; exact I ]. right. inversion Kp as [N Em|t I Em|o' I Em|z I Em]; subst m.
      * discriminate E.
      * discriminate E.
      * assert (o' = o) by (apply closing_inj; congruence). subst. exact I.
      * discriminate E.
    + intros z [E|I]; [| left; exact I ]. right. inversion Kp as [N Em|t I Em|o' I Em|z' I Em]; subst m.
      * discriminate E.
      * discriminate E.
      * discriminate E.
      * assert (z' = z) by (apply withdrawing_inj; congruence). subst. exact I.
  - left. split; [ exact Ou |]. constructor; simpl; auto.
    + intros o Go U. destruct (Hc o Go U). auto.
    + intros z Gz U Iz. destruct (Hw z Gz U Iz). auto.
    + intros v V. discriminate V.
    + intros d D. destruct (Hds d D) as (A1 & A2 & A3 & A4 & A5). four A1 A2 A3 A4.
      intros Al. split; [ reflexivity | apply (A5 Al) ].
  - left. split; [ exact Ou |]. unfold shows, must_answer. constructor; simpl.
    + intros o Go U. destruct (Hc o Go U) as [A _]. split; [ exact A |].
      apply filter_In. split; [ exact A | apply Z.leb_le; exact U ].
    + intros z Gz U Iz. destruct (Hw z Gz U Iz) as [A _]. split; [ exact A |].
      rewrite A, (proj2 (Z.leb_le _ _) U), (proj2 (Z.leb_le _ _) Iz). reflexivity.
    + intros o Io U. apply filter_In. split; [ exact Io | apply Z.leb_le; exact U ].
    + intros z Tz U Iz.
      rewrite Tz, (proj2 (Z.leb_le _ _) U), (proj2 (Z.leb_le _ _) Iz). reflexivity.
    + exact Hd.
    + intros t I. destruct (Hd t I) as [C1 C2]. split; [ exact C1 |]. unfold lapsed. fields.
      intros z Tz Iz. apply C2; [| exact Iz ].
      destruct (taking (disk x)) as [z'|]; [| discriminate ]. destruct (_ && _); congruence.
    + intros v V. injection V as <-. simpl. split; [ reflexivity |].
      left. split; [ reflexivity | apply no_less_refl ].
    + destruct J as (_ & _ & Fp & _). lia.
    + intros t Dt. destruct (due x) as [t'|] eqn:Du; [ apply Hdu; congruence |].
      destruct J as (_ & _ & _ & Mp & _).
      destruct (dispute_of (world x)) as [d|]; [| discriminate ].
      destruct (version d <? number (newest (disk x))); [| discriminate ].
      injection Dt as <-. lia.
    + intros Al. destruct (dispute_of (world x)) as [d|] eqn:D; [ discriminate |].
      rewrite (Hca (Hn eq_refl)). reflexivity.
    + intros ->. reflexivity.
    + intros d D. destruct (Hds d D) as (A1 & A2 & A3 & A4 & A5). rewrite D.
      split; [ exact A1 |]. split; [ exact A2 |]. split; [ exact A3 |].
      split; [ discriminate |]. intros _. split; [ reflexivity |].
      destruct (alarm x) eqn:Al.
      * destruct (A5 eq_refl) as [_ [L|(t & Dt & Lt)]]; [ left; exact L |].
        right. exists t. rewrite Dt. split; [ reflexivity | exact Lt ].
      * rewrite (Hca eq_refl). destruct (version d <? number (newest (disk x))) eqn:L; numbers;
          [| left; exact L ].
        right. exists (now (world x) + margin). split; [ reflexivity |].
        specialize (A4 eq_refl). lia.
  - set (g1 := (my_key, state (newest (disk x))) :: given_ x).
    assert (B1 : Books (with_world x (world x) g1))
      by (apply books_leave; auto; left; reflexivity).
    assert (G1 : Guarded (with_world x (world x) g1)).
    { apply guarded_given; auto; [ apply incl_tl, incl_refl | |];
        intros z [E|I]; try (left; exact I); discriminate E. }
    assert (Low : alarm x = true -> forall d, dispute_of (world x) = Some d ->
      number (newest (disk x)) <= version d \/ now (world x) <= deadline d).
    { intros Al d D. destruct (Hds d D) as (_ & _ & _ & _ & A5).
      destruct (A5 Al) as [_ [L|(t & Dt & Lt)]]; [ left; exact L | right ].
      destruct J as (_ & _ & _ & _ & Ch). specialize (Hdu t Dt). unfold opened in Lt. lia. }
    destruct (run self (world x) _ account 0 _) as [w1|why] eqn:R1; subst w'.
    + assert (Nz : number (newest (disk x)) <> 0) by lia.
      destruct (run_effects self _ _ _ _ _ _ _
        (registering_is_had c as_bob worth _ _ (k_disk _ _ _ x B) Nz) R1) as [C _].
      destruct (chain_guarded _ _ _ C (with_world x (world x) g1) eq_refl eq_refl J B1 G1 Ou)
        as [[O2 G2]|X]; [| left; split; [ exact O2 |] | right; exact X ].
      { intros m Ab I. eapply (word_by_call self c as_bob worth (with_world x (world x) g1));
          [ exact B1 | | | exact R1 | exact Ab | exact I ].
        - apply (registering_is_had c as_bob worth _ _ (k_disk _ _ _ x B) Nz).
        - apply registering_is_careful. }
      destruct G2 as [Gc Gw Gac Gat Gd Gm Gv Gl Gdu Gca Gn Gds]. simpl in *.
      constructor; simpl; auto; [ intros t Dt; discriminate Dt |].
      intros d D. destruct (Gds d D) as (A1 & A2 & A3 & A4 & A5).
      four A1 A2 A3 A4.
      intros Al. destruct (A5 Al) as [E _]. split; [ exact E |]. left.
      destruct (dispute_of (world x)) as [d0|] eqn:D0; [| rewrite Hn in Al; [ discriminate Al | reflexivity ] ].
      unfold run in R1. destruct (fits _); [| discriminate R1 ]. cbn [registering] in R1.
      destruct (registered_counts (world x) w1 account (newest (disk x)) d0 D0 R1) as (d1 & D1 & L).
      congruence.
    + left. split; [ exact Ou |].
      destruct G1 as [Gc Gw Gac Gat Gd Gm Gv Gl Gdu Gca Gn Gds]. simpl in *.
      constructor; simpl; auto; [ intros t Dt; discriminate Dt |].
      intros d D. destruct (Gds d D) as (A1 & A2 & A3 & A4 & A5).
      four A1 A2 A3 A4.
      intros Al. destruct (A5 Al) as [E _]. split; [ exact E |]. left.
      destruct (Low Al d D) as [L|L]; [ exact L |]. exfalso.
      destruct (its_answer_is_good x d {| arrives := fun _ => None; delivers := fun _ => true;
        outcome := fun _ => None |} J B G' P D L) as (w2 & R2). congruence.
Qed.

(** ** From the beginning *)

Lemma guarded_begin : forall x, Joined -> Begins x -> Guarded x.
Proof.
  intros x (_ & _ & Fp & Mp & _) [R Si Ou Di [Fa Fb] (n & Hn & D & M) (V & L & Al & Du)].
  assert (No : forall m, about m = id_of c -> ~ In (my_key, m) (given_ x)) by (intros; apply Si; auto).
  assert (So : Solid (world x) (fresh_store n)).
  { intros t [<-|F]; [| destruct F ]. split; [| discriminate ].
    unfold covers, solvent, free_of_alice, free_of_bob. simpl.
    apply andb_true_intro. split; apply Z.leb_le; lia. }
  constructor; rewrite ?D, ?M, ?V, ?Al, ?Du; try discriminate; auto.
  - intros o I. exfalso. exact (No (closing c o) eq_refl I).
  - intros y I. exfalso. exact (No (withdrawing c y) eq_refl I).
  - lia.
  - intros d E. congruence.
Qed.

Lemma move_outs : forall x y, Books x -> Move x y ->
  exists l, outs (world y) (key c) = l ++ outs (world x) (key c).
Proof.
  intros x y B M. destruct M; simpl; try (exists []; reflexivity).
  - destruct (run_effects self _ _ _ _ _ _ _ H H1) as [C _]. exact (chain_outs _ _ _ C _).
  - destruct (run self (world x) _ account 0 _) as [w1|] eqn:R; subst w';
      [| exists []; reflexivity ].
    assert (Nz : number (newest (disk x)) <> 0) by lia.
    destruct (run_effects self _ _ _ _ _ _ _
      (registering_is_had c as_bob worth _ _ (k_disk _ _ _ x B) Nz) R) as [C _].
    exact (chain_outs _ _ _ C _).
Qed.

Lemma guarded_possible : forall x, Joined -> possible x -> outs (world x) (key c) = [] -> Guarded x.
Proof.
  intros x J (b & Bg & Ms). induction Ms as [x|x y z Ms IH M]; intros Ou.
  - apply guarded_begin; assumption.
  - assert (B : Books y) by (apply (books_possible self c as_bob freshness margin worth);
      exists x; split; assumption).
    destruct (move_outs y z B M) as [l L]. rewrite Ou in L.
    symmetry in L. apply app_eq_nil in L. destruct L as [_ Oy].
    destruct (guarded_move y z J B (IH Bg Oy) Oy M) as [[_ G]|(rest & p & O2 & _)]; [ exact G |].
    exfalso. rewrite Ou in O2. destruct rest; discriminate O2.
Qed.

(** Its world is one of [Trace.v], so all that is proved there holds in it. *)
Lemma possible_reachable : forall x, possible x -> reachable self (world x) (given_ x).
Proof.
  intros x (b & Bg & Ms). induction Ms as [x|x y z Ms IH M]; [ apply (b_chain _ _ _ _ _ Bg) |].
  assert (B : Books y) by (apply (books_possible self c as_bob freshness margin worth);
    exists x; split; assumption).
  specialize (IH Bg). unfold reachable in *. destruct M; simpl.
  - eapply more; [ exact IH | apply signs ].
  - eapply more; [ exact IH | apply passes; assumption ].
  - eapply more; [ exact IH | apply gift; assumption ].
  - eapply more; [ exact IH | eapply calls; eassumption ].
  - exact IH.
  - exact IH.
  - eapply more; [ exact IH | apply signs ].
  - exact IH.
  - exact IH.
  - assert (Nz : number (newest (disk y)) <> 0) by lia.
    destruct (run self (world y) _ account 0 _) as [w1|] eqn:R; subst w'.
    + eapply more; [ eapply more; [ exact IH | apply signs ] |].
      eapply calls; [| exact R ].
      apply (registering_is_had c as_bob worth _ _ (k_disk _ _ _ y B) Nz).
    + eapply more; [ exact IH | apply signs ].
Qed.

(** ** The theorem *)

Definition own (a b : Z) : Z := if as_bob then b else a.
Definition own_paid (p : Payout) : Z := own (alice_paid p) (bob_paid p).
Definition own_holdings (f : Funds) : Z := own (of_alice f) (of_bob f).
Definition own_net (net : Z) : Z := own (- net) net.
Definition own_lock (n : Nano) : Z := own (alice_lock n) (bob_lock n).
Definition own_shift (r : Resolved) : Z := own (- shift r) (shift r).

Lemma answers_all : forall t o nanos done waiting, answers t o nanos = (done, waiting) ->
  Permutation (map nano done ++ waiting) nanos.
Proof.
  induction nanos as [|n rest IH]; intros done waiting H; simpl in H.
  - injection H as <- <-. apply Permutation_refl.
  - destruct (answers t o rest) as [d w] eqn:E. specialize (IH d w eq_refl).
    destruct (resolve t o n) as [r|] eqn:R; injection H as <- <-.
    + assert (N : nano r = n).
      { unfold resolve in R. destruct (outcome o n); [ destruct (_ && _) |];
          [ injection R as <-; reflexivity | |];
          (destruct (expiry n <? t); [ injection R as <-; reflexivity | discriminate ]). }
      simpl. rewrite N. apply Permutation_cons; [ reflexivity | exact IH ].
    + eapply Permutation_trans; [ apply Permutation_sym, Permutation_middle |].
      apply Permutation_cons; [ reflexivity | exact IH ].
Qed.

(** Whatever everybody else does: what ends the channel is one of the ways that stand on the
    party's disk at that moment, so worth what its user counts as his.  It is paid what it holds,
    as that way's net moves it; less what stays locked under an instance of that very state; and
    what it gets or loses by each instance is what the chain found its outcome to be. *)
Theorem balance_security : forall x y, Joined -> possible x ->
  outs (world x) (key c) = [] -> Move x y -> outs (world y) (key c) <> [] ->
  exists rest p net nanos,
    outs (world y) (key c) = rest ++ [p]
    /\ In (net, nanos) (ways (disk x)) /\ owed (disk x) <= worth (net, nanos)
    /\ payout_net p = net /\ Permutation (map nano (resolved p) ++ remaining p) nanos
    /\ (exists o, answers (now (world x)) o nanos = (resolved p, remaining p))
    /\ own_paid p = own_holdings (before p) + own_net net
                    - sum own_lock (remaining p) + sum own_shift (resolved p).
Proof.
  intros x y J P Ou M Oy.
  assert (B := books_possible self c as_bob freshness margin worth x P).
  assert (G := guarded_possible x J P Ou).
  destruct (guarded_move x y J B G Ou M) as [[O1 _]|(rest & p & O1 & (net & nanos) & o & We & Pn & An)];
    [ congruence |].
  assert (Py : possible y)
    by (destruct P as (b & Bg & Ms); exists b; split; [ exact Bg | eapply on; eassumption ]).
  assert (In p (payouts (world y))).
  { assert (I : In p (outs (world y) (key c))) by (rewrite O1; apply in_or_app; right; left; reflexivity).
    unfold outs in I. apply filter_In in I. apply I. }
  destruct (nothing_unsigned self _ _ (possible_reachable y Py) p H) as [_ Pa Pb _ _].
  simpl in Pn, An. subst net. exists rest, p, (payout_net p), nanos.
  split; [ exact O1 |]. split; [ exact We |].
  split; [ exact (f_worth _ _ _ _ _ (k_disk _ _ _ x B) _ We) |]. split; [ reflexivity |].
  split; [ eapply answers_all; exact An |]. split; [ exists o; exact An |].
  assert (Opp : forall l, sum (fun r => - shift r) l = - sum shift l)
    by (induction l as [|r l IH]; simpl; lia).
  unfold own_paid, own_holdings, own_net, own_lock, own_shift, own. destruct as_bob.
  - change (sum (fun n => bob_lock n) (remaining p)) with (sum bob_lock (remaining p)).
    change (sum (fun r => shift r) (resolved p)) with (sum shift (resolved p)). lia.
  - change (sum (fun n => alice_lock n) (remaining p)) with (sum alice_lock (remaining p)).
    rewrite Opp. lia.
Qed.

(** The answer that it owes, when a dispute stands at an older state, is taken whenever it is mined
    in time: nothing that anybody does meanwhile makes it fail. *)
Theorem an_answer_never_fails : forall x d o, Joined -> possible x ->
  outs (world x) (key c) = [] -> 0 < number (newest (disk x)) ->
  disputes (world x) (key c) = Some d -> now (world x) <= deadline d ->
  exists w', run self (world x) o account 0 (registering c (newest (disk x))) = Done w'.
Proof.
  intros x d o J P Ou N D T. apply (its_answer_is_good x d o); auto.
  - apply (books_possible self c as_bob freshness margin worth x P).
  - apply guarded_possible; assumption.
Qed.

End Balance.

(** What is left locked after that is paid as each instance is decided, to the unit, and nothing
    that the party does or leaves matters to it. *)
Theorem what_is_locked_is_paid : forall w g o c net nanos w' d, sound w g ->
  settle w o c net nanos = Done w' -> disputes w (key c) = Some d -> settling d = true ->
  payouts w' = payouts w \/ exists p, payouts w' = p :: payouts w
  /\ answers (now w) o (registered_nanos d) = (resolved p, remaining p)
  /\ alice_paid p = sum to_alice (resolved p) /\ bob_paid p = sum to_bob (resolved p).
Proof.
  intros w g o c net nanos w' d S H D Sd.
  destruct (s_disputes _ _ _ _ _ _ (S ETH (key c)) _ _ D) as [_ V L Z].
  destruct (Z Sd) as (Rn & Fa & Fb & _).
  unfold settle in H. rewrite D in H. destruct (deadline d <? now w); [| discriminate ].
  destruct ((net =? registered_net d) && _) eqn:M; [| discriminate ]. numbers. subst net.
  destruct (list_eq_dec _ _ _) as [->|]; [| discriminate ].
  destruct (answers (now w) o (registered_nanos d)) as [done waiting] eqn:An.
  destruct (answers_add_up _ _ _ _ _ L An) as [Aa Ab _ _ _].
  destruct (settling d && _); [ injection H as <-; left; reflexivity |].
  destruct (solvent _ _ _); [| discriminate ]. injection H as <-. right.
  eexists. split; [ rewrite pay_out_payouts; destruct (length waiting =? 0)%nat; reflexivity |].
  simpl. split; [ reflexivity |]. unfold free_of_alice, free_of_bob. rewrite Rn, Fa, Fb. lia.
Qed.
