"""One sentence per term of the field, for the tooltips beside it."""

TERMS: dict[str, str] = {
    "attention": "How strongly a node weighs each relation at one order of the interaction graph. CIGF's attention is "
    "LeakyReLU(W e + b), not a softmax: values may be negative and need not sum to 1.",
    "relation": "A kind of edge between users and items, one per behaviour: viewed, favourited, put in the cart, bought.",
    "start behaviour": "CIGF builds one representation per behaviour, and that behaviour is where its paths start. Paths "
    "are read from the target outward: the start behaviour is the last one, at the far end, under recursive composition, "
    "and the first one, next to the target, under target composition (CIGF, Eq. 6).",
    "order": "The number of edges on a path. Order 2 from a user leads over an item to another user. Order 1 is absent: "
    "it is one edge of the start behaviour, and attention weighs what is added to it from order 2 on (CIGF, Eq. 8).",
    "path": "A sequence of relations, read from the target outward: 'favorite › buy' leaves a user over an item they "
    "favourited to the users who bought it. Which end is the start behaviour depends on the composition.",
    "any": "'view › any': the paths with each start behaviour weigh exactly the same.",
    "vote": "Each node votes for its path of order 2 with the largest attention; equal weights are told as a tie.",
    "strength": "The product of the mean attentions along a path: how much of the target's representation arrives that way.",
    "instance strength": "The attention collected along this one path from the user to the item, after normalisation.",
    "support": "How many pairs of nodes the path connects. A strong path with little support decides little.",
    "composition": "Recursive: every node on a path applies its own attention (released code). Target: the target "
    "node's attention weights every hop (the paper's Eqs. 6 and 8).",
    "walk note": "'returns to the user': the walk comes back to whom it started from. 'passes the item itself': the user "
    "had touched the recommended item before under the first relation. Neither tells of other people's behaviour.",
    "planted verdict": "The 95 % interval of the difference between two groups' mean attention (Welch's t over users). "
    "If it includes 0 we say no difference. It covers chance among users, not what another seed would train.",
    "gate": "The weight with which a task mixes the experts' predictions; gates of one task sum to 1. It says how much a "
    "task listens to an expert, not how large the expert's own prediction is.",
    "expert": "Under MESI, the interaction of a user and an item under one behaviour (CIGF, Eq. 14). Under MMOE and PLE, "
    "one of several small networks that all see the same input.",
    "task": "Each behaviour is a task of its own, learned together with the others. The last one is the target: "
    "recommendations follow its scores.",
    "held-out pairs": "A fixed sample of at most 1,024 user-item pairs of the target that the model was not trained on. "
    "All runs on the same data are measured on the same pairs.",
    "leads": "The share of held-out pairs for which this expert has the largest gate.",
    "gate entropy": "0: one expert alone; 1: all experts alike. Measured on the mean gate it says how evenly a task "
    "spreads over its experts; measured pair by pair and then averaged, how undecided single gates are.",
    "gate verdict": "Collapsed: entropy of the mean gate below 0.1, one expert takes all. Flat: entropy pair by pair above "
    "0.98, nobody specialises. Same for all: no gate deviates over pairs by more than 0.5 percentage points.",
    "load": "The mean gate of an expert over all tasks and pairs. An expert with less than a tenth of an even share is idle.",
    "gradient conflict": "The cosine between the gradients of two tasks' losses on the shared embeddings. Below 0 a step "
    "that helps one task hurts the other. One probe is one batch, so single values are noisy.",
    "user groups": "Equal counts: the same number of users in each group. Equal widths: evenly spaced correlations, so that "
    "groups may be tiny. The paper uses six groups and does not say how it cuts them.",
    "activity": "Correlation rises with activity. Users of similar activity, the middle half by number of training "
    "pairs, show what is left of a trend without it; the paper draws users with a fixed number of interactions.",
    "training pairs of a user": "The median number of training pairs of the group's users, over all behaviours.",
    "head": "The last part of CIGF, which turns representations into one score per task. MESI feeds each expert its own "
    "behaviour's representation; MMOE and PLE feed all experts the same.",
    "auxiliary noise": "Random pairs added to every behaviour but the target in training, as a share of that behaviour's own "
    "pairs; 20 % is one made-up pair to five real ones. Test pairs stay as they are: what is lost is lost to noise.",
    "preset": "A named set of settings: what the paper used, or a small one that trains in under a minute.",
    "variant": "A named change of the model, most often an ablation from the paper's tables.",
    "seed": "The number that fixes all randomness of a run. Several, written 0, 1, 2 or 0-4, make one run each and show how much of a result is luck.",
    "protocol": "How a result is measured: which items compete in a ranking and which are hidden, or how embeddings of nodes are "
    "classified. Numbers under different protocols never compare.",
    "full": "Every item competes, except those the user already has in training.",
    "sampled99": "Each test item competes with 99 random items the user never touched under the target behaviour.",
    "mmrec": "Every item competes, except the user's training items; users without a training item are left out, and where "
    "training samples negative items it takes them among items seen in training. The rule of the toolkit MMRec, under which "
    "most multimodal recommenders are published.",
    "heco": "Node embeddings are frozen, then linear classifiers learn the classes from a few labelled nodes and are tested on "
    "others; k-means sorts all labelled nodes, too. The evaluation of HeCo (Wang et al., KDD 2021).",
    "linear classifier": "A softmax layer on frozen embeddings, also called a linear probe. 50 of them start from other weights; each "
    "is scored at its best step on validation nodes. ± is the standard deviation over them, which says nothing about other seeds.",
    "label setting": "Which labelled nodes train, validate and test the classifiers. @20: 20 training nodes of each class; without @: "
    "the mean over all settings.",
    "Micro-F1": "The share of test nodes that a classifier puts in their class, when each node has one class.",
    "Macro-F1": "F1, the harmonic mean of precision and recall, of each class, averaged over classes: small classes count like "
    "large ones.",
    "AUC": "The area under the ROC curve of each class against all others, averaged over classes: 0.5 is chance, 1 perfect.",
    "ARI": "Adjusted Rand index: how often two clusterings agree on whether two nodes belong together, over chance. 0 is chance, 1 "
    "the same.",
    "NMI of clusters": "Normalised mutual information of k-means clusters and classes: 0 unrelated, 1 the same.",
    "clusters": "k-means with as many clusters as classes, over all labelled nodes, held against the classes: normalised mutual "
    "information (0 unrelated, 1 the same) and adjusted Rand index (0 chance, 1 the same). ± is the standard deviation over "
    "repeats from other starts.",
    "fit on": "Whether validation pairs are held out, or trained on as well (then the best epoch cannot be chosen on them).",
    "selection": "Which epoch's model is scored on the test data.",
    "HR": "Hit rate at K: the share of users with at least one test item among their first K.",
    "NDCG": "Normalised discounted cumulative gain at K: like the hit rate, but a hit counts more the higher it ranks.",
    "compared runs": "Up to twelve runs. Those that share everything but the seed make one row, with mean and standard "
    "deviation. Results on other data, under another protocol, trained on other pairs or with the epoch chosen on test "
    "data are never put in one table.",
    "interval over seeds": "Mean ± standard deviation over runs that differ in the seed alone. The 95 % interval of that "
    "mean is Student's, and wide for few seeds: it says what another seed would train.",
    "paired test": "Both systems are scored on the same users, so each user is compared with himself: a t-test and "
    "Wilcoxon's signed-rank test of the differences, with a 95 % bootstrap interval and Cohen's d (the mean difference over "
    "its standard deviation). With several comparisons the p-values are corrected by Holm's method. We say 'ahead' only "
    "where both tests agree at 5 %. 'Not shown' is no proof that the systems are equal; the intervals are not corrected.",
    "paired test of nodes": "Both systems classify the same test nodes: per node the share of classifiers that put it in its class, "
    "whose mean is Micro-F1. Then as over users: a t-test and Wilcoxon's signed-rank test of the differences, a 95 % bootstrap "
    "interval, Cohen's d, Holm's correction; 'ahead' only where both tests agree at 5 %. Nodes share neighbours and are not "
    "independent, so the intervals are somewhat too narrow.",
    "seen": "Test pairs that the user had already touched under another behaviour, such as viewing before buying.",
    "unseen": "Test pairs that the user had not touched at all before: true discoveries.",
    "level": "One table of embeddings in a hierarchy: the initial one, that of the graph of all behaviours, one per behaviour, "
    "one per component (pairs of a behaviour that did, or did not, reach the target), and the output that fuses them. Each "
    "level refines the one before it.",
    "information abundance": "The sum of a table's singular values over the largest one: how many directions its rows really "
    "use. 1: all lie on one line; the number of dimensions is the most (HGIB, Section 5.8).",
    "figure 6": "HGIB's Figure 6 has abundance fall from level to level: what does not help to recommend is squeezed out. A "
    "step compares the means over the levels of two depths; less than 1 % counts as staying.",
    "singular values": "How much of a table lies along each of its directions, from the strongest down, over the strongest. A "
    "line that drops early means that few directions carry everything: dimensions have collapsed.",
    "HSIC": "Hilbert-Schmidt independence criterion: how far the likeness of rows in one table tells of their likeness in "
    "another; 0 where they are independent. L_comp presses it down between each level and the one before it (HGIB, Section "
    "4.3).",
    "preservation": "InfoNCE between the output and a level: how hard it is to tell, from the level, whose output a row is. 0 "
    "nats: never mistaken; ln of the batch for users, and the same for items, is guessing. L_pres presses it down.",
    "edge refinement": "GRE (HGIB, Eq. 10): an edge's weight is a sigmoid of the dot product of its two ends in the level before, "
    "in training with random noise; edges whose weight is not above the threshold are dropped.",
    "keep rate": "The share of a graph's edges whose weight is above the threshold. In training noise decides too, so the "
    "expected share is shown; in evaluation there is no noise.",
    "edge weight": "How much an edge counts in the convolution, between 0 and 1. Dropped edges have weight 0; most of what "
    "refinement does happens in the weights above it.",
    "noise detection": "The area under the ROC curve: the chance that a planted noise edge has a smaller weight than an edge that "
    "is none. 0.5 is chance, 1 is perfect. Better than chance: the 95 % interval lies above 0.5.",
    "pruning precision": "The share of noise among the pruned edges, beside that among all edges, which pruning at random would "
    "reach.",
    "fusion": "The output is a sum of levels, weighed per user and item by attention that the target's table asks (HGIB, Section "
    "4.5). Shares of one stage sum to 100 %.",
    "part verdict": "The full model minus the run without the part, on the same seed; mean and 95 % interval over seeds (t). "
    "Helps: the interval lies above zero; hurts: below. Otherwise, and with a single seed, it is not settled. It says what other "
    "seeds would do, not other users.",
    "snapshot": "What the model had learned at one epoch, stored while it trained.",
    "finding": "Something the trained model states about itself, stored with the run. What it means, and along which axes, "
    "decides how it is drawn: bars, cells, means over users and items, or a list of linked items.",
    "finding value": "Shares sum to 100 % along the axis drawn; rates lie between 0 and 100 %; signed values may lie below "
    "zero. The scale of a figure is the same at every epoch.",
    "nodes": "Users and items, the nodes of the interaction graph. Bars are means over them; the thin line spans the middle "
    "90 %, from the 5th to the 95th percentile.",
    "finding support": "How many pairs or users stand behind a value. A large value with little support says little.",
    "slot": "A place where one run can train: one per GPU, or a share of the CPU cores.",
    "planted": "Generated data whose truth is known. Models never see the truth; it is for comparing afterwards.",
    "segment": "On the demo data every user belongs to one of three groups whose purchases follow different behaviours.",
    "device": "Where to train. 'auto' takes a GPU if one is free and can hold the job, otherwise the CPU.",
    "funnel": "How many user–item pairs (and users) each behaviour has, in the order in which people usually act, and how "
    "many of them also occur under the behaviours before it.",
    "overlap": "Each pair stands in exactly one column: the set of all behaviours it occurs under. Users likewise, by the "
    "behaviours they have any pair of. Blue, hatched bars include the target.",
    "degree tail": "The share of users (or items) that have at least so many pairs. A long tail to the right means that few "
    "hold most of the data; a popularity baseline then goes far.",
    "behaviour correlation": "Pearson's correlation between the rows of two behaviours over all items, for one user; the mean "
    "over all pairs of behaviours (CIGF, Eqs. 25 and 26). Near 1 a user does the same under each, near 0 they have nothing "
    "to do with each other. Undefined for a user who lacks a behaviour.",
    "leakage": "Anything that lets a result look better than it would be on unseen data: pairs on both sides of the split, "
    "training on what happened after the test.",
    "cold": "Items without a training pair of the target: models that learn from that behaviour alone cannot find them.",
    "density": "The share of all user–item pairs that occur in training.",
    "scope": "Training pairs are what a model may learn from. All splits add the validation and test pairs of the target.",
    "upload": "Files up to 200 MB. They are kept beside your data sets until they are imported or you start over; nothing in "
    "them is ever run.",
    "server path": "For data that lie on the machine where RelScope runs: nothing is copied. A file or a folder, from the root.",
    "layout": "How the data are laid out in files. RelScope finds out by the files' names, unless you say it.",
    "user column": "Who acted: a customer, visitor or account id.",
    "item column": "What was acted upon: an article, film or song id.",
    "behavior column": "What was done: view, cart, buy and so on. Without one every row counts as the target.",
    "time column": "When it was done: dates, or seconds or milliseconds since 1970. With times the latest pairs can be held out for testing.",
    "ids": "Whole numbers are from 0 up. Text takes anything that is not empty, such as K00017 or 0042.",
    "target": "The behaviour to recommend, usually the purchase. Only its pairs are held out for testing.",
    "feature scale": "As given: the numbers of the file. Rows of length one: each item's features divided by their Euclidean "
    "length. Columns standardised: each dimension with mean 0 and variance 1 over all items. It matters where a model "
    "multiplies features: large or shifted numbers then drown the rest.",
    "funnel order": "From the first step to the last before the target. Behaviours that you take out are not imported.",
    "split rule": "Which pairs of the target test a model. Automatic: those that the source gives; else the latest of each "
    "user where there are times, else a random one. As given keeps even pairs that train and test at once.",
    "target type": "The type of nodes whose classes are learned. Every metapath leads from such a node back to one.",
    "metapath": "A walk over typed relations, such as paper – author – paper: it joins two papers that share an author.",
    "metapaths": "Walks from the target type back to it, NAME=type,type,type with ; between them: PAP=paper,author,paper; "
    "PVP=paper,venue,paper. Where several relations join two types, say which: paper:cites:paper.",
    "homophily": "The share of the pairs joined by a metapath whose two nodes are of one class, each node's pair with itself left "
    "out. Far above that of any two nodes, neighbours tell the class; near it, the metapath adds noise.",
    "label settings": "Which labelled nodes train, validate and test a classifier, with 20, 40 or 60 training nodes per class. "
    "Automatic: those that the source gives, else drawn by the seed: at most half of a class trains, and up to 1,000 other "
    "nodes each validate and test.",
    "split seed": "Fixes which pairs are drawn where chance decides.",
    "check": "Reads everything and tells what would be stored and repaired, without storing it.",
    "popularity group": "Items by their training pairs under the target, the head first. Equal training pairs: each group "
    "holds about a fifth of them, so the head is a few items and the tail most of them (EGRA, Figure 2). Equal numbers of "
    "items: about a fifth of the trained items each. Equally popular items stay together; never trained ones join the tail. A "
    "test pair belongs to the group of its item.",
    "activity group": "Users with a test pair, cut at quantiles of their training pairs under the target. Users with the same "
    "number stay together, so that groups may differ in size.",
    "long tail": "The many items that few people took in training. Together they hold as many training pairs as the few popular "
    "items, the head; recommenders tend to pass them over.",
    "value in a group": "Only the test pairs in the group count as right. They are averaged per user first, since pairs of one "
    "user depend on each other; mean, interval (95 %) and tests are over users.",
    "against": "A run on the same data and protocol, trained on the same pairs. Where both settings were trained with the same "
    "seeds, values are averaged over these seeds, user by user.",
    "coverage": "The share of all items that anybody was recommended among the first K.",
    "Gini": "How unevenly recommendations fall on items: 0 where every item is shown as often as any other, near 1 where a few "
    "items take all places.",
    "mean popularity": "Training pairs of the item in a place, on average over all places among the first K.",
    "recommended places": "The first K places of every user tested, sorted by the popularity group of the item shown there.",
    "reciprocal rank": "1 over the rank of the test item, 0 beyond K; the mean over an item's test pairs. It tells a hit at the top "
    "from one at the end.",
    "nearest items": "Items whose final embeddings point in the most similar direction (cosine). For a tail item they tell what "
    "the model takes it for.",
    "degree of alignment": "The cosine between a node's behaviour representation (from who took what) and its modality "
    "representation (from features such as text and images): 1 agree, 0 have nothing in common, below 0 contradict. Nodes without "
    "any training pair may have no representation; their cosine then is 0.",
    "alignment weight": "How much a user or item counts in the alignment loss, relative to the mean over all users, or all items, "
    "which is 1. By default those that agree least count most; the variant aligned_first turns that round, epoch_only makes all "
    "count alike.",
    "lambda": "λ: the factor of the alignment loss beside the ranking loss. It grows from λmin to λmax over the first P epochs, or "
    "stays at λmax.",
    "reconstruction": "EGRA (Zhang et al., arXiv 2508.16170). Stated by the paper: item links from a pretrained model, contrastive "
    "alignment with interacted items as anchors, weights per entity and epoch. How exactly is ours; the catalog entry and the "
    "model's docstring list every choice.",
    "modality attention": "A softmax over modalities per user and item: the share of each in what the modalities have in common. "
    "Shares of one node sum to 100 % (MGCN).",
    "preference gate": "How much of what only this modality says passes to a node, opened by its behaviour: between 0 and 100 %, the "
    "mean over dimensions; gates of several modalities need not sum to 100 % (MGCN).",
    "node group": "Users in five groups of about equal number, items from tail to head, by their training pairs under the target. "
    "Nodes with the same number stay together. Never trained ones stand apart: only what they are linked to shapes them.",
    "item neighbours": "The items that one item has links to. In the behaviour graph both directions are kept: an item is linked to "
    "its K nearest and to all that have it among theirs, so popular items collect more. By features it has its k nearest.",
    "overlap of neighbours": "The Jaccard index: neighbours in both graphs over neighbours in either. 100 %: the same neighbours; "
    "0 %: none in common.",
    "linked to the head": "The share of the group's items with at least one link, in the first graph, to an item of the most popular "
    "group. Over such links a rarely bought item learns from popular ones.",
    "shared users": "Users who have both items among their training pairs of the target.",
    "parent run": "A run whose item embeddings another run starts from, such as MGCN for EGRA. It is a run of its own and trained "
    "once: runs that need the same one share it.",
    "hyperedge": "A group of users and items that one modality's features define: an item belongs to each by a softmax over a "
    "learned map of its features, a user by those of the items taken. What belongs to a hyperedge passes through it to all its "
    "members (LGMRec, Eq. 6; SRGFormer, Section III.C.1).",
    "membership": "The share with which a user or item belongs to a hyperedge, without noise and dropout. Shares of one node sum to "
    "100 %, so memberships added up over nodes say how many of them a hyperedge holds.",
    "mostly": "Users and items whose largest share this hyperedge has; with equal shares the first one.",
    "defining items": "The 20 items with the most weight in a hyperedge: membership times the length of the item's collaborative "
    "embedding, so both clear and well-trained items lead.",
    "NMI": "Normalised mutual information of two ways to sort the same items: 0 unrelated, 1 the same. Many small groups look "
    "alike by chance, so it is held against groups of the same sizes dealt out at random; and few hyperedges cannot follow many "
    "categories wholly, so the most there could be is told. Holds: at least half of the way from chance to that most. In part: "
    "at least a tenth of it, and above every random value. Otherwise it does not hold.",
    "attention over histories": "The graph transformer's softmax over a user's training interactions, per head: shares of one user and "
    "head sum to 100 %. An even share of n interactions is 1 / n.",
    "relative attention": "A share times the number of the user's interactions: 1 is an even share, 2 twice that. Only users with two "
    "interactions or more have anything to choose between.",
    "relative entropy": "The entropy of a user's attention over ln n, where n is the number of interactions: 100 % is attention to all "
    "alike, 0 % to one alone. In nats it is at most ln n, so longer histories have more.",
    "branch contribution": "The mean of b · e / |e|² for a branch b of the final embedding e: how much of e the branch makes up along e. "
    "Parts of one side add up to 100 %; below zero a branch points against the rest.",
    "branch norm": "The mean length of what a branch adds, its weight in the sum included. A long vector that points elsewhere "
    "contributes little.",
    "content hash": "A fingerprint of the data. Two data sets with one hash train identically.",
    "metapath attention": "HAN's softmax over metapaths, one for all nodes: how much a layer takes from each metapath. Shares of a "
    "layer sum to 1.",
    "confusion": "Of the test nodes of each true class, the share that classifiers put into each class. The diagonal is recall.",
    "purity": "The share of nodes that have their cluster's most frequent class; 1 would be clusters that follow classes exactly.",
    "negative hardness": "The cosine between a node's embedding and its negatives. Hard negatives lie near; too hard ones may be "
    "nodes of its own class.",
    "false negatives": "Negatives that share their anchor's label: the contrast pushes apart what belongs together. Weighted as the loss "
    "weighs them, near ones count more. Labels are compared after the fact; training never sees them.",
    "progressive negatives": "HGCVAE begins with embeddings under dropout as negatives and replaces more and more of them by draws from "
    "its latent normals.",
    "mask schedule": "Masked nodes show a learned token, their own features, or another node's; their features are to be restored. The "
    "share of masked nodes grows over the epochs.",
    "restored features": "1 minus the cosine between true and restored features within a group: 0 is perfect, 1 unrelated.",
    "KL collapse": "The latent normals become the standard normal for every node and say nothing about it. With rows of length one, as in "
    "the released code, this cannot happen.",
    "planted metapath": "The generator of this data placed items on shelves at random: items that share a shelf share nothing else. No model "
    "knows that.",
    "map": "Embeddings of many dimensions laid out on a plane. Principal components keep large distances, UMAP keeps neighbours; axes "
    "have no unit.",
}


def meaning(term: str) -> str:
    """The tooltip of `term`. Raises KeyError for a term without an entry, which a test turns into a defect."""
    return TERMS[term]


_METRICS = {
    "micro_f1": "Micro-F1",
    "macro_f1": "Macro-F1",
    "auc": "AUC",
    "ari": "ARI",
    "nmi": "NMI of clusters",
}


def metric_meaning(name: str) -> str:
    """The tooltip of a metric of node embeddings, with its label setting where it has one. Raises KeyError for another."""
    term = _METRICS[name.partition("@")[0]]
    return (
        meaning(term) if term in ("ARI", "NMI of clusters") else f"{meaning(term)} {meaning('label setting')}"
    )
