(** What holds in every reachable world: the contract's books are in order.

    [Sound a s k u] is the invariant in the middle of a call: in asset [a] there is [s] more than
    is owed, and from channel [k] [u] has been taken that is not yet paid.  Between calls both are
    nothing. *)

From Perun Require Export Conservation.

(** ** What nanocontracts' answers add up to *)

Definition locks_fit (nanos : list Nano) : Prop :=
  forall n, In n nanos -> 0 <= alice_lock n /\ 0 <= bob_lock n.

Lemma resolve_bounded : forall t o n r, resolve t o n = Some r ->
  0 <= alice_lock n -> 0 <= bob_lock n ->
  nano r = n /\ - bob_lock n <= shift r <= alice_lock n.
Proof.
  intros t o n r H Ha Hb. unfold resolve, clamp in H.
  destruct (outcome o n) as [s|].
  - destruct ((- 2 ^ 111 <=? s) && (s <? 2 ^ 111)).
    + injection H as <-. simpl. split; [ reflexivity |]. destruct (swapped n); lia.
    + destruct (expiry n <? t); [| discriminate ]. injection H as <-. simpl. split; [ reflexivity | lia ].
  - destruct (expiry n <? t); [| discriminate ]. injection H as <-. simpl. split; [ reflexivity | lia ].
Qed.

Record Answered (nanos : list Nano) (done : list Resolved) (waiting : list Nano) : Prop := {
  an_alice : sum alice_lock nanos
             = sum (fun r => alice_lock (nano r)) done + sum alice_lock waiting;
  an_bob : sum bob_lock nanos = sum (fun r => bob_lock (nano r)) done + sum bob_lock waiting;
  an_done : incl (map nano done) nanos;
  an_waiting : incl waiting nanos;
  an_bounds : forall r, In r done ->
              - bob_lock (nano r) <= shift r <= alice_lock (nano r)
}.

Lemma answers_add_up : forall t o nanos done waiting,
  locks_fit nanos -> answers t o nanos = (done, waiting) -> Answered nanos done waiting.
Proof.
  induction nanos as [|n rest IH]; intros done waiting Hl H; simpl in H.
  - injection H as <- <-. constructor; simpl; try reflexivity; try apply incl_refl. contradiction.
  - destruct (answers t o rest) as [d w] eqn:E.
    assert (Hr : locks_fit rest) by (intros m Hm; apply Hl; right; exact Hm).
    specialize (IH d w Hr eq_refl). destruct IH as [A B D W S].
    destruct (Hl n (or_introl eq_refl)) as [La Lb].
    destruct (resolve t o n) as [r|] eqn:R; injection H as <- <-.
    + destruct (resolve_bounded _ _ _ _ R La Lb) as [Hn Hs]. subst n.
      constructor; simpl; try lia.
      * intros x [<-|Hx]; [ left; reflexivity | right; apply D; exact Hx ].
      * intros x Hx. right. apply W. exact Hx.
      * intros x [<-|Hx]; [ exact Hs | apply S; exact Hx ].
    + constructor; simpl; try lia.
      * intros x Hx. right. apply D. exact Hx.
      * intros x [<-|Hx]; [ left; reflexivity | right; apply W; exact Hx ].
      * exact S.
Qed.

Lemma to_alice_adds_up : forall done,
  sum to_alice done = sum (fun r => alice_lock (nano r)) done - sum shift done.
Proof. induction done as [|r l IH]; simpl; [ reflexivity |]. unfold to_alice at 1. lia. Qed.

Lemma to_bob_adds_up : forall done,
  sum to_bob done = sum (fun r => bob_lock (nano r)) done + sum shift done.
Proof. induction done as [|r l IH]; simpl; [ reflexivity |]. unfold to_bob at 1. lia. Qed.

Lemma to_alice_nonneg : forall done,
  (forall r, In r done -> - bob_lock (nano r) <= shift r <= alice_lock (nano r)) ->
  0 <= sum to_alice done /\ 0 <= sum to_bob done.
Proof.
  intros done H.
  split; apply sum_nonneg; intros r Hr; unfold to_alice, to_bob; specialize (H r Hr); lia.
Qed.

(** ** What every dispute and every payout rests on *)

Record DisputeSound (w : World) (g : Given) (k : Key) (d : Dispute) : Prop := {
  d_agreed : exists c net nanos, k = key c /\ agreed w g c (version d) net nanos
             /\ incl (registered_nanos d) nanos
             /\ (settling d = false -> registered_net d = net /\ registered_nanos d = nanos);
  d_solvent : solvent (funds w k) (registered_net d) (registered_nanos d) = true;
  d_locks : locks_fit (registered_nanos d);
  d_settling : settling d = true ->
               registered_net d = 0 /\ of_alice (funds w k) = sum alice_lock (registered_nanos d)
               /\ of_bob (funds w k) = sum bob_lock (registered_nanos d)
               /\ registered_nanos d <> []
}.

(** What somebody was paid is what it held, less what it had given away by word, less what stays
    locked by word, less what nanocontracts of that word took, each within its locks. *)
Record PayoutSound (w : World) (g : Given) (p : Payout) : Prop := {
  p_word : match payout_version p with
           | None => (exists until to_credit,
                        both_said w g (of_channel p)
                          (Close (id_of (of_channel p)) (payout_net p) until to_credit))
                     /\ resolved p = [] /\ remaining p = []
           | Some v => exists net nanos, agreed w g (of_channel p) v net nanos
                     /\ incl (map nano (resolved p)) nanos /\ incl (remaining p) nanos
                     /\ (payout_net p = if was_settling p then 0 else net)
           end;
  p_alice : alice_paid p = of_alice (before p) - payout_net p - sum alice_lock (remaining p)
                           - sum shift (resolved p);
  p_bob : bob_paid p = of_bob (before p) + payout_net p - sum bob_lock (remaining p)
                       + sum shift (resolved p);
  p_bounds : forall r, In r (resolved p) ->
             - bob_lock (nano r) <= shift r <= alice_lock (nano r);
  p_nonneg : 0 <= alice_paid p /\ 0 <= bob_paid p
}.

Record Sound (a : Asset) (s : Z) (k : Key) (u : Z) (w : World) (g : Given) : Prop := {
  s_covered : covered w a s;
  s_others : forall a', a' <> a -> covered w a' 0;
  s_totals : totals_fit w;
  s_credits : credit_fits w;
  s_account : forall k', deposited w k'
              = paid w k' + total (funds w k') + (if Key_eq_dec k k' then u else 0);
  s_disputes : forall k' d, disputes w k' = Some d -> DisputeSound w g k' d;
  s_payouts : forall p, In p (payouts w) -> PayoutSound w g p
}.

Definition sound (w : World) (g : Given) : Prop := forall a k, Sound a 0 k 0 w g.

Lemma sound_from : forall w g a k, Sound a 0 k 0 w g -> sound w g.
Proof.
  intros w g a k [C O T R A D P] a' k'. constructor; try assumption.
  - destruct (Z.eq_dec a' a) as [->|Hne]; [ exact C | apply O; exact Hne ].
  - intros a'' _. destruct (Z.eq_dec a'' a) as [->|Hne]; [ exact C | apply O; exact Hne ].
  - intros k''. rewrite (A k''). destruct (Key_eq_dec k k''), (Key_eq_dec k' k''); reflexivity.
Qed.

(** ** Words stay said *)

Lemma said_more : forall w w' g account k m,
  incl (sent w) (sent w') -> said w g account k m -> said w' g account k m.
Proof. intros w w' g account k m H [A|[A|A]]; [ left | right; left | right; right ]; auto. Qed.

Lemma both_said_more : forall w w' g c m,
  incl (sent w) (sent w') -> both_said w g c m -> both_said w' g c m.
Proof. intros w w' g c m H [A B]. split; eapply said_more; eassumption. Qed.

Lemma agreed_more : forall w w' g c v net nanos,
  incl (sent w) (sent w') -> agreed w g c v net nanos -> agreed w' g c v net nanos.
Proof.
  intros w w' g c v net nanos H [A|A]; [ left; exact A | right; eapply both_said_more; eassumption ].
Qed.

Lemma dispute_more : forall w w' g k d, incl (sent w) (sent w') -> funds w' k = funds w k ->
  DisputeSound w g k d -> DisputeSound w' g k d.
Proof.
  intros w w' g k d H F [(c & net & nanos & K & A & I & S) V L G]. constructor.
  - exists c, net, nanos. repeat split; auto; try (apply S; assumption).
    eapply agreed_more; eassumption.
  - rewrite F. exact V.
  - exact L.
  - rewrite F. exact G.
Qed.

Lemma payout_more : forall w w' g p, incl (sent w) (sent w') ->
  PayoutSound w g p -> PayoutSound w' g p.
Proof.
  intros w w' g p H [W A B S N]. constructor; try assumption.
  destruct (payout_version p) as [v|].
  - destruct W as (net & nanos & G & I). exists net, nanos. split; [| exact I ].
    eapply agreed_more; eassumption.
  - destruct W as ((until & tc & G) & I). split; [| exact I ].
    exists until, tc. eapply both_said_more; eassumption.
Qed.

(** ** Each step of money keeps the books in order *)

(** A change that touches balance and credit of [a] only. *)
Lemma sound_purse : forall a s s' k u w w' g,
  Sound a s k u w g ->
  funds w' = funds w -> disputes w' = disputes w -> deposited w' = deposited w ->
  paid w' = paid w -> payouts w' = payouts w -> sent w' = sent w ->
  covered w' a s' -> credit_fits w' -> (forall a', a' <> a -> other_asset_kept w w' a') ->
  Sound a s' k u w' g.
Proof.
  intros a s s' k u w w' g [C O T R A D P] F Di De Pa Po Se C' R' K.
  assert (I : incl (sent w) (sent w')) by (rewrite Se; apply incl_refl).
  constructor; try assumption.
  - intros a' Ha. eapply covered_other_asset; [ apply K; exact Ha | apply O; exact Ha ].
  - intros k'. rewrite F. apply T.
  - intros k'. rewrite De, Pa, F. apply A.
  - intros k' d Hd. rewrite Di in Hd.
    apply (dispute_more w); [ exact I | rewrite F; reflexivity | apply D; exact Hd ].
  - intros p Hp. rewrite Po in Hp. apply (payout_more w); [ exact I | apply P; exact Hp ].
Qed.

Ltac purse := repeat split; intros; simpl; try reflexivity; try (apply update_other; congruence).

Lemma pull_sound : forall a s k u w g o value amount w' n,
  Sound a s k u w g -> 0 <= amount -> pull w o value a amount = Done (w', n) ->
  Sound a (s + n) k u w' g /\ 0 <= n
  /\ funds w' = funds w /\ disputes w' = disputes w /\ now w' = now w /\ credits w' = credits w.
Proof.
  intros a s k u w g o value amount w' n S Ha H.
  assert (X : w' = with_balance w a (balance w a + n) /\ 0 <= n).
  { unfold pull in H. taken H; subst; numbers; split; reflexivity || lia. }
  destruct X as [-> Hn]. split; [| repeat split; exact Hn ].
  eapply sound_purse; try exact S; try reflexivity; try apply (s_credits _ _ _ _ _ _ S).
  - apply covered_balance. apply (s_covered _ _ _ _ _ _ S).
  - purse.
Qed.

Lemma debit_sound : forall a s k u w g account amount w',
  Sound a s k u w g -> 0 <= amount -> debit w a account amount = Done w' ->
  Sound a (s + amount) k u w' g
  /\ funds w' = funds w /\ disputes w' = disputes w /\ now w' = now w /\ balance w' = balance w.
Proof.
  intros a s k u w g account amount w' S Ha H. unfold debit in H. taken H; subst; numbers.
  split; [| repeat split ].
  eapply sound_purse; try exact S; try reflexivity.
  - apply covered_credit_down; [ apply (s_covered _ _ _ _ _ _ S) | lia ].
  - intros q. simpl. unfold update. pose proof (s_credits _ _ _ _ _ _ S (a, account)).
    pose proof (s_credits _ _ _ _ _ _ S q). destruct (Purse_eq_dec (a, account) q); lia.
  - purse.
Qed.

Lemma give_credit_sound : forall a s k u w g account amount,
  Sound a s k u w g -> 0 <= amount ->
  Sound a (s - amount) k u (give_credit w a account amount) g.
Proof.
  intros a s k u w g account amount S Ha. eapply sound_purse; try exact S; try reflexivity.
  - apply covered_credit_up;
      [ apply (s_covered _ _ _ _ _ _ S) | apply (s_credits _ _ _ _ _ _ S) | exact Ha ].
  - apply give_credit_fits; [ apply (s_credits _ _ _ _ _ _ S) | exact Ha ].
  - unfold give_credit. purse.
Qed.

Lemma raise_sound : forall w g a k s ta tb draws w',
  Sound a s (a, k) 0 w g -> disputes w (a, k) = None -> 0 <= ta -> 0 <= tb -> s = ta + tb ->
  raise_sides w (a, k) ta tb draws = Done w' -> Sound a 0 (a, k) 0 w' g.
Proof.
  intros w g a k s ta tb draws w' S N Hta Htb -> H. unfold raise_sides in H.
  taken H; subst. destruct S as [C O T R A D P].
  set (f := {| of_alice := of_alice (funds w (a, k)) + ta;
               of_bob := of_bob (funds w (a, k)) + tb;
               withdrawals := withdrawals (funds w (a, k));
               drawn := drawn (funds w (a, k)) || draws |}).
  assert (Tf : total f = total (funds w (a, k)) + (ta + tb)) by (unfold total; simpl; lia).
  pose proof (T (a, k)) as Tk.
  constructor.
  - assert (X : covered (with_funds w (a, k) f) a
              ((ta + tb) - (total f - total (funds w (a, k)))))
      by (apply covered_funds_up; [ exact C | lia ]).
    replace ((ta + tb) - (total f - total (funds w (a, k)))) with 0 in X by lia. exact X.
  - intros a' Ha. eapply covered_same; try apply (O a' Ha); try reflexivity.
    intros id. simpl. apply update_other. congruence.
  - intros k'. simpl. unfold update. destruct (Key_eq_dec (a, k) k') as [<-|_]; [ lia | apply T ].
  - exact R.
  - intros k'. simpl. unfold update. specialize (A k'). destruct (Key_eq_dec (a, k) k') as [<-|_].
    + fold f. destruct (Key_eq_dec (a, k) (a, k)); lia.
    + destruct (Key_eq_dec (a, k) k'); lia.
  - intros k' d Hd. simpl in Hd. apply (dispute_more w).
    + apply incl_refl.
    + simpl. apply update_other. intros <-. congruence.
    + apply D. exact Hd.
  - intros p Hp. apply (payout_more w); [ apply incl_refl | apply P; exact Hp ].
Qed.

Lemma pay_sound : forall a k s u w g o to amount cr,
  Sound a s (a, k) u w g -> 0 <= amount ->
  Sound a (s - amount) (a, k) (u - amount) (pay w o (a, k) to amount cr) g.
Proof.
  intros a k s u w g o to amount cr [C O T R A D P] Ha.
  destruct (pay_keeps w o (a, k) to amount cr) as (_ & F & Di & De & Po & Se).
  assert (I : incl (sent w) (sent (pay w o (a, k) to amount cr)))
    by (rewrite Se; apply incl_refl).
  constructor.
  - apply (pay_covered w o (a, k)); assumption.
  - intros a' Hne. eapply covered_other_asset; [| apply O; exact Hne ].
    apply pay_other_asset. simpl. congruence.
  - intros k'. rewrite F. apply T.
  - apply pay_credit_fits; assumption.
  - intros k'. rewrite De, F, pay_paid, (A k'). destruct (Key_eq_dec (a, k) k'); lia.
  - intros k' d Hd. rewrite Di in Hd.
    apply (dispute_more w); [ exact I | rewrite F; reflexivity | apply D; exact Hd ].
  - intros p Hp. rewrite Po in Hp. apply (payout_more w); [ exact I | apply P; exact Hp ].
Qed.

(** Money is taken out of a channel's slot, and waits to be paid. *)
Lemma take_sound : forall a k w g f,
  Sound a 0 (a, k) 0 w g -> disputes w (a, k) = None ->
  0 <= total f <= total (funds w (a, k)) ->
  Sound a (total (funds w (a, k)) - total f) (a, k) (total (funds w (a, k)) - total f)
        (with_funds w (a, k) f) g.
Proof.
  intros a k w g f [C O T R A D P] N Ht. constructor.
  - apply (covered_funds_down w a k f 0); assumption.
  - intros a' Ha. eapply covered_same; try apply (O a' Ha); try reflexivity.
    intros id. simpl. apply update_other. congruence.
  - intros k'. simpl. unfold update. destruct (Key_eq_dec (a, k) k') as [<-|_]; [ lia | apply T ].
  - exact R.
  - intros k'. simpl. unfold update. specialize (A k').
    destruct (Key_eq_dec (a, k) k') as [<-|_]; lia.
  - intros k' d Hd. simpl in Hd. apply (dispute_more w).
    + apply incl_refl.
    + simpl. apply update_other. intros <-. congruence.
    + apply D. exact Hd.
  - intros p Hp. apply (payout_more w); [ apply incl_refl | apply P; exact Hp ].
Qed.

(** A dispute ends, or another takes its place. *)
Lemma dispute_sound : forall a s k u w g k' d,
  Sound a s k u w g -> (forall x, d = Some x -> DisputeSound w g k' x) ->
  Sound a s k u (with_dispute w k' d) g.
Proof.
  intros a s k u w g k' d [C O T R A D P] Hd. constructor; try assumption.
  - intros k'' x. simpl. unfold update. destruct (Key_eq_dec k' k'') as [<-|_]; intros Hx.
    + apply (dispute_more w); [ apply incl_refl | reflexivity | apply Hd; exact Hx ].
    + apply (dispute_more w); [ apply incl_refl | reflexivity | apply D; exact Hx ].
  - intros p Hp. apply (payout_more w); [ apply incl_refl | apply P; exact Hp ].
Qed.

Lemma sent_sound : forall a s k u w g x, Sound a s k u w g -> Sound a s k u (with_sent w x) g.
Proof.
  intros a s k u w g x [C O T R A D P].
  assert (I : incl (sent w) (sent (with_sent w x))) by (intros y Hy; right; exact Hy).
  constructor; try assumption.
  - intros k' d Hd. apply (dispute_more w); [ exact I | reflexivity | apply D; exact Hd ].
  - intros p Hp. apply (payout_more w); [ exact I | apply P; exact Hp ].
Qed.

Lemma payout_sound : forall a s k u w g p,
  Sound a s k u w g -> PayoutSound w g p -> Sound a s k u (with_payout w p) g.
Proof.
  intros a s k u w g p [C O T R A D P] Hp. constructor; try assumption.
  - intros k' d Hd. apply (dispute_more w); [ apply incl_refl | reflexivity | apply D; exact Hd ].
  - intros q [<-|Hq]; (apply (payout_more w); [ apply incl_refl |]).
    + exact Hp.
    + apply P. exact Hq.
Qed.

Lemma pay_out_sound : forall w g o p to_credit,
  let k := key (of_channel p) in
  Sound (fst k) (alice_paid p + bob_paid p) k (alice_paid p + bob_paid p) w g ->
  PayoutSound w g p -> sound (pay_out w o p to_credit) g.
Proof.
  intros w g o p to_credit k S Hp. unfold pay_out. fold k.
  destruct (p_nonneg _ _ _ Hp) as [Na Nb]. unfold k, key in *. simpl in *.
  apply (payout_sound _ _ _ _ _ _ p) in S; [| exact Hp ].
  eapply pay_sound in S; [| exact Na ]. eapply pay_sound in S; [| exact Nb ].
  match type of S with Sound _ ?x _ _ _ _ => replace x with 0 in S by lia end.
  eapply sound_from. exact S.
Qed.

(** ** Whose word a call carries *)

Lemma agrees_said : forall w g caller account k m s,
  has g s -> agrees caller account k m s = true ->
  said (with_sent w (caller, m)) g account k m.
Proof.
  intros w g caller account k m s Hs H. unfold agrees in H.
  destruct (given s || negb ((caller =? account) || (caller =? k))) eqn:E.
  - unfold signed, recover in H. destruct s as [| |k' m'].
    + simpl in H. apply andb_prop in H. destruct H as [_ H]. discriminate H.
    + simpl in H. apply andb_prop in H. destruct H as [_ H]. discriminate H.
    + destruct (Message_eq_dec m m') as [->|_].
      * apply andb_prop in H. destruct H as [H _]. apply Z.eqb_eq in H. subst k'. left. exact Hs.
      * apply andb_prop in H. destruct H as [_ H]. discriminate H.
  - apply orb_false_iff in E. destruct E as [_ E]. apply negb_false_iff in E.
    apply orb_prop in E. right. destruct E as [E|E]; apply Z.eqb_eq in E; subst.
    + left. left. reflexivity.
    + right. left. reflexivity.
Qed.

Lemma both_agree_said : forall w g c caller m sa sb w',
  has g sa -> has g sb -> both_agree w c caller m sa sb = Done w' ->
  w' = with_sent w (caller, m) /\ both_said w' g c m.
Proof.
  intros w g c caller m sa sb w' Ha Hb H. unfold both_agree in H.
  taken H.
  subst w'.
  split; [ reflexivity | split; [ apply (agrees_said _ _ _ _ _ _ sa) | apply (agrees_said _ _ _ _ _ _ sb) ]; assumption ].
Qed.
