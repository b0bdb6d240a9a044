"""The items of two reporting guidelines in our own words, by the guidelines' own numbers, and what may answer them.

TRIPOD+AI has 27 items in 52 parts [1], for studies that develop or evaluate a prediction model; CLAIM has 44 [2], for
artificial intelligence in medical imaging. One line is one item: its number, what it asks, and the keys of
``model_card.FACTS`` that answer it, with a ``+`` where they are all of the answer that is asked for. No key: only
people can answer.

[1] Collins et al., TRIPOD+AI statement, BMJ 385 (2024) e078378, doi 10.1136/bmj-2023-078378
[2] Tejani et al., Checklist for artificial intelligence in medical imaging (CLAIM): 2024 update, Radiology: Artificial
Intelligence 6 (2024) e240300, doi 10.1148/ryai.240300
"""

TRIPOD_AI = """
# Title and abstract
1   | The title says that a model is developed or evaluated, for whom, and for which outcome. | task population
2   | The abstract follows the list for abstracts. |
# Introduction
3a  | The clinical question, why a model is wanted, and which models there are already. | use
3b  | For which patients it is meant, where in their care, and who will use it. | use population
3c  | Inequalities in health between groups that are known here. | fairness
4   | The aims, and whether a model is developed, evaluated, or both. | task use
# Methods
5a  | Where the data come from, for development and for evaluation, and whom they represent. | data setting population
5b  | From when to when the patients were seen. | dates +
6a  | In which places of care, how many, and where. | setting +
6b  | Who was let in and who was not. | population left_out
6c  | Which treatments the patients had, and how these were handled. |
7   | How the data were prepared and checked, and whether alike for all groups. | preparation left_out
8a  | What the outcome is, when and how it was assessed, and whether alike for all groups. | labels task
8b  | Where a judgement was needed: who judged, with which training. | labels
8c  | Whether those who judged knew what the model sees or says. | labels
9a  | How the predictors were chosen: here, which images. | data
9b  | What the predictors are, and when and how they were measured. | preparation setting
9c  | Where a judgement was needed for a predictor: who judged. | setting
10  | How large the study is and why that is enough, for development and evaluation. | sizes
11  | What is missing, and how that was handled. | left_out
12a | How the data were used for development and for evaluation, and how they were divided. | splits sizes +
12b | How the predictors were transformed or scaled. | preparation +
12c | The kind of model, why, every step of building it with its tuning, and how it was validated internally. |\
 model start selection +
12d | How differences between hospitals or countries were handled. | external
12e | Which measures and plots judge the model: discrimination, calibration, clinical use. |\
 metrics calibration utility +
12f | Whether the model was updated after its evaluation, for instance recalibrated. | updating +
12g | How predictions were computed when the model was evaluated. | software availability +
13  | Whether classes were balanced by some means, why, and what that did to calibration. | model
14  | What was done for fairness, and why. | fairness +
15  | What the model answers, and how a threshold was found. | output threshold +
16  | In what the data for development and for evaluation differ. | external splits
17  | Which committee agreed, and how patients consented. | ethics +
# Open science
18a | Who paid, and what they had to say. | funding
18b | Who has an interest in the result. | funding
18c | Where the protocol is, or that there is none. | plan
18d | Where the study is registered, or that it is not. | plan
18e | Where the data are. | data
18f | Where the code is. | availability +
# Patients and public
19  | How patients and the public took part, or that they did not. |
# Results
20a | The flow of patients through the study, with and without the outcome. | sizes left_out
20b | What the patients are like, overall and by place, with what is missing. | sizes population
20c | How the data for evaluation compare with those for development. | sizes external
21  | How many patients and outcomes each analysis had. | sizes +
22  | The whole model, so that others can predict with it and evaluate it. | availability +
23a | The performance with intervals, also of the key groups of patients. | metrics subgroups +
23b | How the performance differs between hospitals, where that was looked at. | external +
24  | What an update of the model gave. | updating +
# Discussion
25  | What the results mean, with fairness, and beside earlier studies. |
26  | What is weak: whom the sample lacks, its size, overfitting, what is missing. | limits
27a | How input of poor quality, or none, is recognised and handled in use. | preparation
27b | What users must do, and what they must know for it. | use
27c | Which studies are needed next. |
"""

CLAIM = """
# Title and abstract
1  | The work is named as artificial intelligence, and its kind, for instance deep learning. | model +
2  | The abstract sums up design, methods, results and conclusions. |
# Introduction
3  | The background, and what role the method is meant to play. | use
4  | Aims and hypotheses. | task plan
# Methods
5  | Whether the study looks back or ahead. | dates plan
6  | What kind of study it is, for instance a first trial or a comparison. | plan
7  | Where the data come from. | data setting +
8  | Which cases were let in and which were not. | left_out population +
9  | How the images were prepared. | preparation +
10 | Which parts of the data were chosen, where not all were used. | left_out preparation
11 | How the data were made anonymous. | ethics
12 | How missing data were handled. | left_out +
13 | How the images were taken: devices and protocol. | setting
14 | What the reference standard is. | labels
15 | Why this one. | labels
16 | Who annotated, and what they knew. | labels
17 | How the test set was annotated. | labels
18 | How much readers differ, and how often one reader differs from herself. | labels
19 | How cases were assigned to the parts. | splits sizes +
20 | At which level the parts are apart: image, examination, patient, hospital. | splits +
21 | How large the test set was meant to be, and why. | sizes
22 | The model in detail: input, layers, output. | model preparation output +
23 | Software with versions. | software +
24 | How the weights were started. | start +
25 | How it was trained: augmentation, settings, number of models. | model selection +
26 | How the final model was chosen. | selection +
27 | Whether models were joined to an ensemble. | model
28 | Which measures judge it. | metrics calibration +
29 | How uncertainty was computed. | metrics +
30 | What was tried to see whether the result is robust. | robustness +
31 | How it was explained, and whether the explanation was tested. | explanation +
32 | The evaluation on internal data. | metrics +
33 | The test on external data. | external +
34 | The registration, where it is a clinical trial. | plan
# Results
35 | How many patients or examinations are in and out, and why. | sizes left_out +
36 | What the patients are like, in each part. | population sizes
37 | The performance on each part, with its uncertainty. | metrics +
38 | The diagnostic performance and its precision. | metrics threshold +
39 | Which cases were answered wrongly, and why. | failures
# Discussion
40 | What is weak. | limits
41 | What it means for practice. | use
# Other
42 | Where the protocol and further details are. | plan availability
43 | Where software, trained model and data are. | availability data +
44 | Who paid, and their role. | funding
"""


def items():
    """(guideline, number, section, what it asks, keys of facts, whether these are all of the answer), in order."""
    for guideline, text in (("TRIPOD+AI", TRIPOD_AI), ("CLAIM", CLAIM)):
        section = ""
        for line in text.strip().splitlines():
            if line.startswith("# "):
                section = line[2:]
                continue
            number, asks, keys = (part.strip() for part in line.split("|"))
            named = keys.split()
            yield guideline, number, section, asks, tuple(key for key in named if key != "+"), "+" in named
