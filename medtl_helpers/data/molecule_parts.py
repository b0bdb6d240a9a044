"""The parts that drawn molecules are put together from: rings, linkers between them, and groups at their ends.

Each part is a piece of SMILES with a name and a weight, how often it is drawn. In a ring, ``*`` stands behind a carbon
that may carry something, ``^`` behind such a nitrogen, and ``@`` for an aromatic nitrogen with a hydrogen or with
something in its place. A ring is held at its first atom, a group at its first, a linker at its first and its last.

Which parts there are follows from what is published of molecules in general: few frameworks make up most drugs (Bemis
and Murcko, Journal of Medicinal Chemistry 39 (1996), 2887, doi 10.1021/jm9602928), the same few hundred rings come
again (Taylor, MacCoss and Lawson, Journal of Medicinal Chemistry 57 (2014), 5845, doi 10.1021/jm4017625), and so do
substituents (Ertl, Journal of Chemical Information and Computer Sciences 43 (2003), 374, doi 10.1021/ci0255782).
Solvents, pesticides and dyes add parts of their own. Names and order of frequency are from memory of these; the weights
were written by hand, and no molecule of a real set was counted for them. Afterwards the quartiles of size and of log P
of drawn molecules were held beside those of the three real sets, and nothing was changed.
"""

# weight, name, SMILES
RINGS = """
30 benzene c1c*c*c*c*c1*
4 pyridin-2-yl c1c*c*c*c*n1
4 pyridin-3-yl c1c*c*c*nc1*
3 pyridin-4-yl c1c*c*nc*c1*
3 pyrimidine c1nc*c*c*n1
1 pyrazine c1nc*c*nc1*
1 pyridazine c1c*c*c*nn1
2 triazine c1nc*nc*n1
2 furan c1c*c*c*o1
3 thiophene c1c*c*c*s1
1 pyrrole c1c*c*c*@1
2 imidazole c1c*@c*n1
1 imidazol-1-yl n1c*c*nc1*
1 1,2,4-triazol-1-yl n1c*nc*n1
2 pyrazole c1c*c*@n1
1 tetrazole c1nn@n1
1 isoxazole c1c*c*on1
2 thiazole c1c*sc*n1
1 thiadiazole c1nnc*s1
3 indole c1c*@c2c*c*c*c*c12
2 benzimidazole c1@c2c*c*c*c*c2n1
1 benzothiazole c1nc2c*c*c*c*c2s1
1 benzofuran c1c*c2c*c*c*c*c2o1
3 quinoline c1c*c*c2c*c*c*c*c2n1
1 isoquinoline c1nc*c*c2c*c*c*c*c12
1 quinazoline c1nc*nc2c*c*c*c*c12
4 naphthalene c1c*c*c*c2c*c*c*c*c12
1 anthracene c1c*c*c*c2c*c3c*c*c*c*c3c*c12
1 phenanthrene c1c*c*c2c(c1*)c*c*c1c*c*c*c*c21
1 pyrene c1c*c2c*c*c3c*c*c*c4c*c*c(c1*)c2c34
1 chrysene c1c*c*c2c(c1*)c*c*c1c3c*c*c*c*c3c*c*c21
1 fluorene c1c*c*c2c(c1*)C*c1c*c*c*c*c21
1 carbazole c1c*c*c2c(c1*)@c1c*c*c*c*c21
1 acridine c1c*c*c2c(c1*)nc1c*c*c*c*c1c2*
1 dibenzodioxin c1c*c*c2c(c1*)Oc1c*c*c*c*c1O2
1 dibenzofuran c1c*c*c2c(c1*)oc1c*c*c*c*c21
2 phenothiazine N1c2c*c*c*c*c2Sc2c*c*c*c*c12
1 dibenzazepine N1c2c*c*c*c*c2CCc2c*c*c*c*c12
2 benzodioxole c1c*c*c2c(c1*)OCO2
1 coumarin c1c*c2c*c*c*c*c2oc1=O
1 flavone c1c*c(=O)c2c*c*c*c*c2o1
1 anthraquinone c1c*c*c2c(c1*)C(=O)c1c*c*c*c*c1C2=O
1 quinone C1=C*C(=O)C*=C*C1=O
1 naphthoquinone C1=C*C(=O)c2c*c*c*c*c2C1=O
2 benzodiazepine c1c*c*c2c(c1*)C(c1c*c*c*c*c1*)=NCC(=O)N2^
1 purine c1nc2c*nc*nc2@1
2 xanthine c1nc2c(@1)c(=O)@c(=O)@2
2 uracil c1c*@c(=O)@c1=O
1 pyridone c1c*c*c*@c1=O
1 phthalimide N1C(=O)c2c*c*c*c*c2C1=O
3 barbiturate C1*C(=O)N^C(=O)N^C1=O
1 hydantoin C1*N^C(=O)N^C1=O
1 succinimide N1C(=O)C*C*C1=O
1 pyrrolidinone N1CC*C*C1=O
5 cyclohexane C1C*C*C*C*C1*
2 cyclopentane C1C*C*C*C1*
2 cyclopropane C1C*C1*
1 cyclobutane C1C*C*C1*
1 cyclohexene C1CC*CC*=C1*
2 cyclohexanone C1C*CC*CC1=O
4 piperidin-1-yl N1C*C*C*C*C1*
3 piperidin-4-yl C1C*CN^CC1*
2 pyrrolidin-1-yl N1C*C*C*C1
2 pyrrolidin-2-yl C1C*C*CN1^
4 piperazine N1CCN^CC1*
3 morpholine N1C*COC*C1
1 azepane N1CCC*CCC1
2 tetrahydrofuran C1C*C*C*O1
1 tetrahydropyran C1C*C*C*CO1
3 hexose C1OC(CO)C(O)C(O)C1O
2 pentose C1OC(CO)C(O)C1O
1 dioxolane C1OCC*O1
2 epoxide C1C*O1
1 penam C1C(=O)N2C1SC(C)(C)C2C(=O)O
1 lactone C1C*COC1=O
1 norbornane C1C*C2CC*C1C2
1 adamantane C12CC3CC(CC(C3)C1)C2
8 androstane C1*CCC2C3CCC4=CC(=O)CCC4(C)C3CCC12C
6 estrane C1*CCC2C3CCc4cc(O)ccc4C3CCC12C
2 sterol C1*CCC2C3CC=C4CC(O)CCC4(C)C3CCC12C
1 tropane C1CC2CCC(C1)N2^
1 tetralin C1CCc2c*c*c*c*c2C1*
1 indane C1Cc2c*c*c*c*c2C1*
1 tetrahydroisoquinoline N1CCc2c*c*c*c*c2C1*
"""
LINKERS = """
10 methylene C
4 ethylene CC
2 propylene CCC
8 ether O
5 amine N
3 thioether S
4 oxymethylene OC
4 methylene ether CO
3 methylene amine CN
3 aminomethylene NC
9 amide C(=O)N
7 reversed amide NC(=O)
4 ester C(=O)O
2 reversed ester OC(=O)
4 ketone C(=O)
3 sulfonamide S(=O)(=O)N
2 reversed sulfonamide NS(=O)(=O)
1 sulfone S(=O)(=O)
2 vinylene C=C
1 ethynylene C#C
1 azo N=N
1 imine C=N
1 hydrazone C=NN
3 urea NC(=O)N
1 carbamate NC(=O)O
2 enone C=CC(=O)
2 amide with methylene C(=O)NC
1 tertiary amine CN(C)C
2 carbinol C(O)
1 dimethylmethylene C(C)(C)
2 aminoethoxy OCCN
1 acetamide CC(=O)N
1 phosphate OP(=O)(OC)O
"""
GROUPS = """
14 methyl C
6 ethyl CC
4 isopropyl C(C)C
4 tert-butyl C(C)(C)C
3 propyl CCC
2 butyl CCCC
1 octyl CCCCCCCC
1 allyl CC=C
1 propargyl CC#C
1 vinyl C=C
8 fluoro F
14 chloro Cl
5 bromo Br
1 iodo I
5 trifluoromethyl C(F)(F)F
1 trichloromethyl C(Cl)(Cl)Cl
1 chloromethyl CCl
12 hydroxy O
9 methoxy OC
3 ethoxy OCC
1 trifluoromethoxy OC(F)(F)F
3 hydroxymethyl CO
2 hydroxyethyl CCO
8 amino N
2 methylamino NC
4 dimethylamino N(C)C
2 diethylamino N(CC)CC
2 aminomethyl CN
4 dimethylaminoethyl CCN(C)C
1 dimethylaminopropyl CCCN(C)C
6 nitro [N+](=O)[O-]
4 cyano C#N
7 carboxyl C(=O)O
3 carboxymethyl CC(=O)O
3 methyl ester C(=O)OC
3 ethyl ester C(=O)OCC
2 acetoxy OC(C)=O
3 acetyl C(C)=O
2 formyl C=O
4 carboxamide C(N)=O
2 dimethylamide C(=O)N(C)C
3 acetamido NC(C)=O
2 methylsulfonyl S(C)(=O)=O
3 sulfamoyl S(N)(=O)=O
1 mesylamino NS(C)(=O)=O
2 methylthio SC
1 thiol S
1 sulfonic acid S(=O)(=O)O
1 phosphonate P(=O)(OCC)OCC
1 dimethyl phosphate OP(=O)(OC)OC
2 diethyl thiophosphate OP(=S)(OCC)OCC
1 isothiocyanate N=C=S
1 hydroxamic acid C(=O)NO
1 oxime C=NO
1 guanidino NC(N)=N
2 ureido NC(N)=O
2 methylcarbamate OC(=O)NC
1 boronic acid B(O)O
1 trimethylsilyl [Si](C)(C)C
1 trimethylammonio C[N+](C)(C)C
1 hydrazino NN
1 nitroso N=O
1 nitrosamino N(C)N=O
2 acrylamido NC(=O)C=C
2 acryloyl C(=O)C=C
1 glycidyl ether OCC1CO1
1 selenomethyl [Se]C
"""


def read_parts(table: str) -> list[tuple[int, str, str]]:
    """(weight, name, SMILES) of each line of a table."""
    rows = [line.split() for line in table.strip().splitlines()]
    return [(int(row[0]), " ".join(row[1:-1]), row[-1]) for row in rows]
