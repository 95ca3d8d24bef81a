(** Sums over lists, and what one change does to them. *)

From Perun Require Import Types.

Lemma sum_ext : forall A (f g : A -> Z) l,
  (forall x, In x l -> f x = g x) -> sum f l = sum g l.
Proof.
  induction l as [|x l IH]; intros H; [ reflexivity |].
  simpl. rewrite H by (left; reflexivity). rewrite IH; [ reflexivity |].
  intros y Hy. apply H. right. exact Hy.
Qed.

Lemma sum_nonneg : forall A (f : A -> Z) l, (forall x, In x l -> 0 <= f x) -> 0 <= sum f l.
Proof.
  induction l as [|x l IH]; intros H; simpl; [ lia |].
  pose proof (H x (or_introl eq_refl)). specialize (IH (fun y Hy => H y (or_intror Hy))). lia.
Qed.

Lemma sum_add : forall A (f g : A -> Z) l, sum (fun x => f x + g x) l = sum f l + sum g l.
Proof. induction l as [|x l IH]; simpl; lia. Qed.

Lemma sum_one_change : forall A (eq : forall a b : A, {a = b} + {a <> b}) (f g : A -> Z) k l,
  NoDup l -> (forall x, x <> k -> g x = f x) ->
  sum g l = sum f l + (if in_dec eq k l then g k - f k else 0).
Proof.
  intros A eq f g k l Hd Hf. induction Hd as [|x l Hx Hd IH]; [ reflexivity |].
  cbn [sum fold_right]. fold (sum g l). fold (sum f l). rewrite IH.
  destruct (in_dec eq k (x :: l)) as [Hin|Hout]; destruct (in_dec eq k l) as [Hin'|Hout'].
  - assert (x <> k) by (intros ->; contradiction). rewrite (Hf x) by assumption. lia.
  - destruct Hin as [->|Hin]; [ lia | contradiction ].
  - exfalso. apply Hout. right. exact Hin'.
  - assert (x <> k) by (intros ->; apply Hout; left; reflexivity). rewrite (Hf x) by assumption. lia.
Qed.
